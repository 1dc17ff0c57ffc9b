// SPDX-License-Identifier: Apache-2.0
// From the "data" of a recipe and a folder of photographs to what a network sees, against torchvision on Pillow images
// and TensorFlow's legacy resizing (tests/oracles/image_pipeline.py). Sizes are a quarter of the studies'.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/data/image_source.h"
#include "engine/data/loader.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"
#include "tests/support/image_files.h"
#include "tests/support/source_tree.h"
#include "tools/recipe/recipe.h"

namespace chiasm {
namespace {

using test::Bytes;

// Sample 0 is the photograph (96 x 128), sample 1 its transpose.
class ImagePipeline : public testing::Test {
 protected:
  ImagePipeline() {
    const ByteImage photo = read_image(test::source_folder() + "/tests/data/photograph.png");
    Bytes wide, tall;
    const auto add = [&](Bytes& to, std::int64_t y, std::int64_t x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        to.push_back(std::byte{photo.pixels[static_cast<std::size_t>((y * photo.width + x) * 3 + c)]});
      }
    };
    for (std::int64_t y = 0; y < photo.height; ++y) {
      for (std::int64_t x = 0; x < photo.width; ++x) add(wide, y, x);
    }
    for (std::int64_t x = 0; x < photo.width; ++x) {
      for (std::int64_t y = 0; y < photo.height; ++y) add(tall, y, x);
    }
    const int height = static_cast<int>(photo.height), width = static_cast<int>(photo.width);
    folder_.write("train/a/wide.png", test::png_file(width, height, wide));
    folder_.write("train/b/tall.png", test::png_file(height, width, tall));
  }

  static DataRecipe read(const std::string& data, const Shape& image) {
    Config config = Config::parse(data, "recipe");
    const DataRecipe recipe = read_data(config.root(), {{"image", {{DType::kFloat32, image}, true}}});
    config.finish();
    return recipe;
  }

  // Settings are laid over what all studies share.
  DataRecipe recipe(const std::string& settings, const Shape& image) const {
    return read(R"({"format": "folder", "path": ")" + folder_.path() +
                    R"(", "train": {}, "test": {"split": "train"}, )" + settings + "}",
                image);
  }

  // What is left of an image in the golden file.
  void expect_same(const std::string& name, const Shape& shape, std::span<const float> image) const {
    const auto sizes = golden_.at(name + "/shape").values<std::int32_t>();
    ASSERT_EQ(shape, (Shape{sizes[0], sizes[1], sizes[2]})) << name;
    const std::vector<double> values(image.begin(), image.end());
    const Tensor& row = golden_.at(name + "/row");
    // Values below 3 in magnitude: sums of up to 16 terms in float32 there, and a product and a sum of normalisation.
    const double tolerance = 3.0 * std::numeric_limits<float>::epsilon() * std::sqrt(16.0);
    for (std::int64_t i = 0; i < row.elements(); ++i) {
      ASSERT_NEAR(values[static_cast<std::size_t>(shape[0] / 2 * row.elements() + i)],
                  row.values<double>()[static_cast<std::size_t>(i)], tolerance)
          << name << " " << i;
    }
    const test::Sketch sketch = test::sketch(Tensor::of<double>({std::ssize(values)}, values).view(), name);
    const auto expected = golden_.at(name + "/sketch").values<double>();
    const double total = std::sqrt(static_cast<double>(values.size())) * tolerance;
    EXPECT_NEAR(sketch.product, expected[0], total) << name;
    EXPECT_NEAR(sketch.norm, expected[1], total) << name;
  }

  void expect_evaluation(const std::string& name, const std::string& settings, const Shape& image) const {
    const DataRecipe data = recipe(settings, image);
    Loader loader(open_dataset(data.test), {.batch_size = 2, .shuffle = false, .workers = 0, .views = data.test_views});
    const std::optional<Batch> batch = loader.next();
    const std::span<const float> values = batch->at("image").values<float>();
    const std::size_t count = values.size() / 2;
    expect_same("wide/" + name, loader.fields().at("image").spec.shape, values.subspan(0, count));
    expect_same("tall/" + name, loader.fields().at("image").spec.shape, values.subspan(count));
  }

  // `first` to `last` epochs, and the same bits whatever the number of workers.
  void expect_training(const std::string& name, const std::string& settings, const Shape& image, std::int64_t first = 0,
                       std::int64_t last = 5) const {
    const DataRecipe data = recipe(settings, image);
    LoaderConfig config{.batch_size = 2,
                        .seed = 7,
                        .shuffle = false,
                        .epochs = last,
                        .workers = 0,
                        .views = data.train_views,
                        .start = {.epoch = first}};
    Loader alone(open_dataset(data.train), config);
    config.workers = 3;
    Loader together(open_dataset(data.train), config);
    for (std::int64_t epoch = first; epoch < last; ++epoch) {
      const std::optional<Batch> batch = alone.next();
      const std::span<const float> values = batch->at("image").values<float>();
      EXPECT_TRUE(std::ranges::equal(values, together.next()->at("image").values<float>()));
      const std::size_t count = values.size() / 2;
      const std::string at = name + "/" + std::to_string(epoch);
      expect_same(at + "/0", alone.fields().at("image").spec.shape, values.subspan(0, count));
      expect_same(at + "/1", alone.fields().at("image").spec.shape, values.subspan(count));
    }
  }

  // What extraction shows of the same files.
  void expect_stimuli(const std::string& name, const ImageView& view, ImageFit fit, const Shape& image) const {
    const auto source = open_images({.path = folder_ / "train", .shape = image, .fit = fit, .view = view});
    std::vector<float> values(static_cast<std::size_t>(image.elements()));
    for (std::int64_t i = 0; i < source->size(); ++i) {
      source->load(i, values);
      PixelNormalisation{.mean = {0.485, 0.456, 0.406}, .deviation = {0.229, 0.224, 0.225}}.apply(values, 3);
      expect_same((i == 0 ? "wide/" : "tall/") + name, image, values);
    }
  }

  const std::string normalise_ = R"("normalise": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, )";
  test::TempFolder folder_;
  test::Golden golden_{"image_pipeline"};
};

TEST_F(ImagePipeline, EvaluatesAsTheMouseStudy) {
  const std::string view = R"("view": {"resize": 64, "crop": 56, "interpolation": "pillow_bilinear"})";
  expect_evaluation("mouse_evaluation", normalise_ + view, {16, 16, 3});
  expect_evaluation("resize_and_crop", normalise_ + view, {56, 56, 3});
}

TEST_F(ImagePipeline, TrainsAsTheMouseStudy) {
  expect_training("mouse_training",
                  normalise_ +
                      R"("view": {"resize": 64, "crop": 56, "interpolation": "pillow_bilinear"},
      "augment": {"flip_probability": 0.5,
                  "random_resized_crop": {"size": 56, "aspect": "log_uniform", "fallback": "largest"}})",
                  {16, 16, 3});
}

TEST_F(ImagePipeline, EvaluatesAsTheConvRnnStudy) {
  expect_evaluation("convrnn_evaluation",
                    normalise_ + R"("view": {"crop": {"fraction": 0.875}, "interpolation": "tensorflow_bicubic"})",
                    {28, 28, 3});
}

// From epoch 3 on of boxes that seldom fit, so that what evaluation shows is left after the only attempt.
TEST_F(ImagePipeline, TrainsAsTheConvRnnStudy) {
  const std::string start = normalise_ +
                            R"("view": {"crop": {"fraction": 0.875}, "interpolation": "tensorflow_bicubic"},
      "augment": {"flip_probability": 0.5, "random_resized_crop": {"cover_min": 0.1)";
  expect_training("convrnn_training", start + "}}", {28, 28, 3}, 0, 3);
  expect_training("convrnn_training", start + R"(, "area_min": 0.8, "attempts": 1}})", {28, 28, 3}, 3, 5);
}

TEST_F(ImagePipeline, EvaluatesAsTheInceptionProgram) {
  expect_evaluation("inception_evaluation",
                    R"("normalise": {"mean": [0.5], "std": [0.5]}, "view":
      {"crop": {"fraction": 0.875, "shape": "image"}, "interpolation": "tensorflow_bilinear"})",
                    {21, 21, 3});
}

TEST_F(ImagePipeline, PadsAndCropsBeforeTheLastResize) {
  expect_training("cifar_training",
                  normalise_ +
                      R"("view": {"resize": 16, "crop": 16, "interpolation": "pillow_bilinear"},
      "augment": {"pad": 2, "flip_probability": 0.5})",
                  {32, 32, 3});
}

// The same pieces show stimuli, to the bit.
TEST_F(ImagePipeline, StimuliAreShownAsEvaluationShowsImages) {
  expect_stimuli("mouse_evaluation", {.resize = 64, .crop = 56, .interpolation = Interpolation::kPillowBilinear},
                 ImageFit::kView, {16, 16, 3});
  expect_stimuli("convrnn_evaluation", {.fraction = 0.875, .interpolation = Interpolation::kTensorflowBicubic},
                 ImageFit::kView, {28, 28, 3});
  const auto wide = open_images({.path = folder_ / "train/a",
                                 .shape = {24, 32, 3},
                                 .fit = ImageFit::kView,
                                 .view = {.resize = 24, .interpolation = Interpolation::kPillowBilinear}});
  std::vector<float> values(24 * 32 * 3);
  wide->load(0, values);
  PixelNormalisation{.mean = {0.485, 0.456, 0.406}, .deviation = {0.229, 0.224, 0.225}}.apply(values, 3);
  expect_same("wide/mouse_stimulus", {24, 32, 3}, values);
}

TEST_F(ImagePipeline, GreyNetworksSeeWhatPillowMakesGrey) {
  const auto source = open_images(
      {.path = folder_ / "train", .shape = {16, 16, 1}, .view = {.interpolation = Interpolation::kPillowBilinear}});
  std::vector<float> values(16 * 16);
  source->load(0, values);
  expect_same("wide/grey", {16, 16, 1}, values);
  source->load(1, values);
  expect_same("tall/grey", {16, 16, 1}, values);
}

// The shipped recipes show images as their studies did.
TEST(RecipeImages, AreTheStudies) {
  const auto data = [](const char* name) { return load_recipe(name, {}).data; };
  for (const char* name : {"rgc_median", "resnet50_v1", "alexnet"}) {  // spec/convrnn.md 7.3
    const DataRecipe d = data(name);
    EXPECT_EQ(d.test_augmentation.view->fraction, 0.875) << name;
    EXPECT_EQ(d.test_augmentation.view->interpolation, Interpolation::kTensorflowBicubic) << name;
    const RandomResizedCrop crop = d.train_augmentation.random_resized_crop.value();
    EXPECT_EQ(crop.area_min, 0.08) << name;
    EXPECT_EQ(crop.cover_min, 0.1) << name;
    EXPECT_EQ(crop.attempts, 10) << name;
    EXPECT_EQ(d.train_augmentation.flip_probability, 0.5) << name;
    EXPECT_FALSE(d.test_augmentation.random_resized_crop.has_value()) << name;
  }
  for (const char* name : {"resnet18_ia", "resnet18_wm_tpe", "resnet18_sa"}) {  // spec/learning_rules.md 8.4
    const ImageView view = data(name).test_augmentation.view.value();
    EXPECT_EQ(view.resize, 256) << name;
    EXPECT_EQ(view.crop, 224) << name;
  }
  EXPECT_FALSE(data("fashion_rgc").test_augmentation.view.has_value());
}

TEST_F(ImagePipeline, NamesTheFieldThatIsWrong) {
  const auto error = [&](const std::string& settings) {
    return test::error_of<InputError>([&] { recipe(settings, {16, 16, 3}); });
  };
  EXPECT_THAT(error(R"("view": {"resize": 32, "crop": 64})"), testing::HasSubstr("view.crop"));
  EXPECT_THAT(error(R"("view": {"interpolation": "area"})"), testing::HasSubstr("view.interpolation: found \"area\""));
  EXPECT_THAT(error(R"("view": {"crop": {"fraction": 0}})"), testing::HasSubstr("view.crop.fraction"));
  EXPECT_THAT(error(R"("view": {"crop": {"fraction": 1, "size": 3}})"), testing::HasSubstr("view.crop.size"));
  EXPECT_THAT(error(R"("augment": {"random_resized_crop": {"aspect": "log"}})"), testing::HasSubstr("aspect"));
  EXPECT_THAT(error(R"("augment": {"random_resized_crop": {"attempts": 0}})"), testing::HasSubstr("attempts"));
}

}  // namespace
}  // namespace chiasm
