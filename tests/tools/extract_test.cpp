// SPDX-License-Identifier: Apache-2.0
// chiasm extract from the outside: images of every kind, weights of a run, what it says about wrong input, and what is
// left when it is stopped or the disk is full. Values are tested with the library
// (tests/models/feature_extraction_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/features/feature_file.h"
#include "engine/io/npy.h"
#include "engine/io/zip.h"
#include "engine/weights.h"
#include "models/tasks/classification/graphs.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/file_corpus.h"
#include "tests/support/image_files.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"
#include "tools/recipe/recipe.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const char* const kRecipe = R"({
  "chiasm": 1, "name": "tiny",
  "data": {"format": "folder", "path": "none", "normalise": {"mean": [0.4], "std": [0.3]}, "train": {}, "test": {}},
  "model": {"image": [8, 8, 3], "steps": 5, "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 4, "kernel": 3}, "elu"], "post": [{"op": "max_pool", "size": 2}]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 6, "kernel": 3}], "cell": {"type": "time_decay"}},
    {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 4}]}]},
  "train": {"batch": 8, "epochs": 1, "seed": 3, "optimizer": {"type": "sgd"}, "learning_rate": 0.02}})";

class ExtractCommand : public testing::Test {
 protected:
  ExtractCommand() {
    write_text(recipe, kRecipe);
    ZipWriter zip(folder / "images.zip");
    for (int i = 0; i < 5; ++i) {
      const Bytes png = png_file(10, 10, noise(300, static_cast<std::uint32_t>(i)));
      const std::string name = "i" + std::to_string(i) + ".png";
      folder.write("images/" + name, png);
      zip.add(name, std::array<std::span<const std::byte>, 1>{png}, false);
    }
    zip.commit();
  }

  ProcessResult extract(std::vector<std::string> more, const ProcessOptions& options = {}) const {
    std::vector<std::string> arguments{chiasm_command(), "extract", recipe, "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_process(arguments, options);
  }
  std::string images() const { return folder / "images"; }
  // What it says about wrong input, which is one line and status 2.
  std::string refusal(const std::vector<std::string>& arguments) const {
    std::vector<std::string> quietly = arguments;
    quietly.push_back("--quiet");
    const ProcessResult result = extract(quietly);
    EXPECT_EQ(result.status, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    return result.err;
  }

  TempFolder folder;
  std::string recipe = folder / "recipe.json";
};

TEST_F(ExtractCommand, WritesTheSameFeaturesFromFoldersAndZips) {
  const ProcessResult from_folder = extract({"--images", images(), "--out", folder / "a.npz", "--json", "--quiet"});
  ASSERT_EQ(from_folder.status, 0) << from_folder.err;
  EXPECT_THAT(from_folder.err, HasSubstr("untrained (seed 3)"));
  const ProcessResult from_zip = extract({"--images", folder / "images.zip", "--out", folder / "b.h5", "--image-on",
                                          "2", "--total", "6", "--steps", "0..4"});
  ASSERT_EQ(from_zip.status, 0) << from_zip.err;
  EXPECT_THAT(from_zip.out, HasSubstr("5 images (0 skipped), 3 layers, 5 steps"));
  const nlohmann::json json = nlohmann::json::parse(from_folder.out);
  EXPECT_EQ(json.at("images"), 5);
  EXPECT_EQ(json.at("steps").size(), 5U);
  EXPECT_EQ(json.at("layers")[0].at("shape"), (std::vector<int>{4, 4, 4}));
  EXPECT_EQ(json.at("file_bytes"), 5 * 5 * (64 + 96 + 4) * 4);
  EXPECT_GT(json.at("peak_memory_bytes").get<double>(), json.at("memory_bytes").get<double>());
  const auto a = open_features(folder / "a.npz"), b = open_features(folder / "b.h5");
  EXPECT_THAT(a->header().image_ids, ElementsAre("i0.png", "i1.png", "i2.png", "i3.png", "i4.png"));
  EXPECT_EQ(a->header().image_ids, b->header().image_ids);
  EXPECT_EQ(a->header().attributes.at("weights"), "untrained");
  EXPECT_EQ(b->header().attributes.at("image_off_step"), "2");
  // The image goes at step 2, which conv2 sees at step 3.
  for (std::size_t t = 0; t < 4; ++t) {
    const Tensor x = a->read(1, t, 0, 5), y = b->read(1, t, 0, 5);
    EXPECT_EQ(std::ranges::equal(x.values<float>(), y.values<float>()), t < 3) << t;
  }
}

// --fit view takes what evaluation shows: here the middle of 10 x 10 pixels, which are other images of 8 x 8.
TEST_F(ExtractCommand, ShowsWhatEvaluationShows) {
  for (std::uint32_t i = 0; i < 5; ++i) {
    const Bytes whole = noise(300, i);
    Bytes middle;
    for (std::size_t y = 1; y < 9; ++y) {
      middle.insert(middle.end(), whole.begin() + static_cast<std::ptrdiff_t>((y * 10 + 1) * 3),
                    whole.begin() + static_cast<std::ptrdiff_t>((y * 10 + 9) * 3));
    }
    folder.write("middles/i" + std::to_string(i) + ".png", png_file(8, 8, middle));
  }
  const auto features = [&](const std::string& from, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--images", from, "--layers", "readout", "--out", folder / "x.npz"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult r = extract(arguments);
    EXPECT_EQ(r.status, 0) << r.err;
    const Tensor values = open_features(folder / "x.npz")->read(0, 4, 0, 5);
    return std::vector<float>(values.values<float>().begin(), values.values<float>().end());
  };
  const std::vector<float> expected = features(folder / "middles", {});
  EXPECT_EQ(features(images(), {"--fit", "view", "--set", "data.view.crop=8"}), expected);
  EXPECT_NE(features(images(), {"--fit", "crop"}), expected);
  EXPECT_NE(features(images(), {"--interpolation", "pillow_bicubic"}), features(images(), {}));
  EXPECT_THAT(refusal({"--images", images(), "--dry-run", "--fit", "view", "--interpolation", "bicubic"}),
              HasSubstr("that of the recipe counts"));
}

TEST_F(ExtractCommand, GivesTheSameFeaturesOnCuda) {
  CHIASM_NEEDS_CUDA();
  for (const char* device : {"cpu", "cuda:0"}) {
    const ProcessResult r =
        extract({"--images", images(), "--out", folder / (std::string(device) + ".npz"), "--device", device});
    ASSERT_EQ(r.status, 0) << r.err;
  }
  const auto cpu = open_features(folder / "cpu.npz"), cuda = open_features(folder / "cuda:0.npz");
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (std::size_t t = 2; t < 5; ++t) {
      // Sums of at most 96 products after two layers of at most 36.
      EXPECT_TRUE(near(cuda->read(layer, t, 0, 5).view(), cpu->read(layer, t, 0, 5).view(),
                       rounding_tolerance(DType::kFloat32, 8.0, 96.0)))
          << layer << " at " << t;
    }
  }
}

TEST_F(ExtractCommand, TakesWeightsFromARunOrAFile) {
  const Recipe r = load_recipe(recipe, {});
  Parameters parameters;
  build_evaluation(r.network, parameters, 1, {});
  parameters.initialise(77);
  std::filesystem::create_directories(folder / "run/snapshots");
  write_text(folder / "run/recipe.json", kRecipe);
  save_weights(folder / "run/snapshots/step-5.safetensors", parameters);
  const std::string weights = folder / "run/snapshots/step-5.safetensors";
  const auto values = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--images", images(), "--layers", "conv2",
                                       "--steps",  "last",   "--out",    folder / "x.npz"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = extract(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    const Tensor rows = open_features(folder / "x.npz")->read(0, 0, 0, 5);
    return std::vector<float>(rows.values<float>().begin(), rows.values<float>().end());
  };
  const std::vector<float> loaded = values({"--weights", weights});
  EXPECT_EQ(loaded, values({"--seed", "77"}));
  EXPECT_NE(loaded, values({}));
  const ProcessResult run =
      run_process({chiasm_command(), "extract", folder / "run", "--threads", "1", "--images", images(), "--layers",
                   "conv2", "--steps", "last", "--out", folder / "run.npz"});
  ASSERT_EQ(run.status, 0) << run.err;
  const Tensor rows = open_features(folder / "run.npz")->read(0, 0, 0, 5);
  EXPECT_TRUE(std::ranges::equal(rows.values<float>(), loaded));
  EXPECT_THAT(open_features(folder / "run.npz")->header().attributes.at("weights"), HasSubstr("step-5.safetensors"));
  EXPECT_THAT(refusal({"--images", images(), "--out", folder / "x.npz", "--snapshot", weights}),
              HasSubstr("--weights"));
}

TEST_F(ExtractCommand, DryRunWritesNothing) {
  const std::vector<std::string> before = folder.names();
  const ProcessResult dry =
      extract({"--images", images(), "--reduce", "pool:2,random:10", "--dry-run", "--json", "--out", folder / "x.h5"});
  ASSERT_EQ(dry.status, 0) << dry.err;
  const nlohmann::json json = nlohmann::json::parse(dry.out);
  EXPECT_EQ(json.at("file_bytes"), 5 * 5 * 3 * 10 * 4);
  EXPECT_GT(json.at("memory_bytes"), 0);
  EXPECT_THAT(extract({"--images", images(), "--dry-run"}).out, AllOf(HasSubstr("conv2"), HasSubstr("memory:")));
  EXPECT_EQ(folder.names(), before);
}

TEST_F(ExtractCommand, SkipsBrokenImagesWhenAsked) {
  const Bytes png = png_file(10, 10, noise(300));
  folder.write("images/i2.png", Bytes(png.begin(), png.begin() + 70));
  folder.write("images/i9.gif", bytes_of("GIF89a"));
  EXPECT_THAT(refusal({"--images", images(), "--out", folder / "x.npz"}), HasSubstr("images/i2.png: PNG"));
  const ProcessResult result = extract({"--images", images(), "--out", folder / "x.npz", "--skip-broken", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("skipped: "), HasSubstr("i2.png"), HasSubstr("i9.gif")));
  EXPECT_EQ(nlohmann::json::parse(result.out).at("skipped").size(), 2U);
  EXPECT_THAT(open_features(folder / "x.npz")->header().image_ids, ElementsAre("i0.png", "i1.png", "i3.png", "i4.png"));
}

TEST_F(ExtractCommand, NamesWhatIsWrong) {
  const std::string out = folder / "x.npz";
  folder.write("empty/readme.txt", {});
  write_npz(folder / "no_images.zip", {{"x", Tensor::zeros(DType::kFloat32, {2})}});
  write_npy(folder / "flat.npy", Tensor::zeros(DType::kFloat32, {5, 4}));
  write_npy(folder / "two.npy", Tensor::zeros(DType::kFloat32, {1, 4, 4, 2}));
  EXPECT_THAT(refusal({"--images", folder / "empty", "--out", out}), HasSubstr("empty: has no .png"));
  EXPECT_THAT(refusal({"--images", folder / "no_images.zip", "--out", out}), HasSubstr("no_images.zip: has no .png"));
  EXPECT_THAT(refusal({"--images", folder / "flat.npy", "--out", out}), HasSubstr("flat.npy: images are"));
  EXPECT_THAT(refusal({"--images", folder / "two.npy", "--out", out}), HasSubstr("two.npy[0]: has 2 channels"));
  EXPECT_THAT(refusal({"--images", folder / "none", "--out", out}), HasSubstr("none: no such file"));
  EXPECT_THAT(refusal({"--images", images(), "--out", folder / "x.mat"}), HasSubstr(".h5, .hdf5 and .npz"));
  EXPECT_THAT(refusal({"--images", images()}), HasSubstr("--out is missing"));
  EXPECT_THAT(refusal({"--images", images(), "--out", out, "--layers", "conv1,conv7"}),
              AllOf(HasSubstr("\"conv7\""), HasSubstr("conv1, conv2, readout")));
  EXPECT_THAT(refusal({"--images", images(), "--out", out, "--steps", "3..9"}),
              HasSubstr("\"9\" is no step from 0 to 4"));
  EXPECT_THAT(refusal({"--images", images(), "--out", out, "--reduce", "pcx:3"}), HasSubstr("pcx:3"));
  EXPECT_THAT(refusal({"--images", images(), "--out", out, "--image-on", "0"}), HasSubstr("found 0"));
  EXPECT_THAT(refusal({"--images", images(), "--out", out, "--weights", folder / "none.safetensors"}),
              HasSubstr("none.safetensors: no such file"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(ExtractCommand, LeavesNothingWhenItIsStoppedOrTheDiskIsFull) {
  // Enough work for the signal to come while it runs, also where 2000 images take less than a second.
  Tensor many(Spec{DType::kUInt8, {60000, 8, 8}});
  write_npy(folder / "many.npy", many);
  const std::vector<std::string> before = folder.names();
  for (const char* ending : {".h5", ".npz"}) {
    const std::string out = folder / ("x" + std::string(ending));
    const ProcessResult stopped =
        extract({"--images", folder / "many.npy", "--out", out, "--total", "400", "--dtype", "float64"},
                {.signal_after = std::chrono::milliseconds(1500), .signal = 2});
    EXPECT_EQ(stopped.status, 130) << stopped.err;
    const ProcessResult full = extract({"--images", folder / "many.npy", "--out", out}, {.file_size_limit = 100000});
    EXPECT_EQ(full.status, 1) << full.err;
    EXPECT_THAT(full.err, AllOf(HasSubstr("x" + std::string(ending)), HasSubstr("File too large")));
    EXPECT_EQ(folder.names(), before) << ending;
  }
}

}  // namespace
}  // namespace chiasm::test
