// SPDX-License-Identifier: Apache-2.0
// The data sets other than IDX, all through open_dataset.
#include <gtest/gtest.h>

#include "engine/data/dataset.h"
#include "engine/data/loader.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/dataset.h"
#include "tests/support/file_corpus.h"
#include "tests/support/image_files.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::error_of;
using test::load_values;
using test::png_file;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::string open_error(const DatasetConfig& config) {
  return error_of<InputError>([&] { open_dataset(config); });
}

// Labels of all samples, each image checked to load.
std::vector<int> labels_of(const Dataset& dataset) {
  std::vector<float> image;
  std::vector<int> labels;
  for (std::int64_t i = 0; i < dataset.size(); ++i) labels.push_back(load_values(dataset, i, image));
  return labels;
}

Bytes cifar_records(std::initializer_list<int> labels) {
  Bytes file;
  for (const int label : labels) {
    file.push_back(static_cast<std::byte>(label));
    test::append(file, test::noise(3072, static_cast<std::uint32_t>(label)));
  }
  return file;
}

TEST(Cifar10, LoadsBatchesInOrder) {
  const TempFolder folder;
  folder.write("data_batch_2.bin", cifar_records({5}));
  folder.write("data_batch_1.bin", cifar_records({3, 9}));
  folder.write("test_batch.bin", cifar_records({7}));
  const auto train = open_dataset({.format = "cifar10", .path = folder.path(), .split = "train"});
  EXPECT_EQ(train->image(), (Spec{DType::kFloat32, {32, 32, 3}}));
  EXPECT_EQ(train->class_names()[9], "truck");
  EXPECT_THAT(labels_of(*train), ElementsAre(3, 9, 5));
  EXPECT_THAT(labels_of(*open_dataset({.format = "cifar10", .path = folder.path(), .split = "test"})), ElementsAre(7));
  std::vector<float> image(3072);
  load_values(*train, 2, image);
  const Bytes planes = test::noise(3072, 5);
  for (const std::size_t pixel : {0U, 33U, 1023U}) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      EXPECT_EQ(image[pixel * 3 + channel], std::to_integer<int>(planes[channel * 1024 + pixel]) / 255.0F);
    }
  }
  folder.write("batches.meta.txt", test::bytes_of("a b c d e f g h i j\n\n"));
  EXPECT_EQ(open_dataset({.format = "cifar10", .path = folder.path(), .split = "test"})->class_names()[9], "j");
}

TEST(Cifar10, NamesWhatIsWrong) {
  const TempFolder folder;
  DatasetConfig config{.format = "cifar10", .path = folder.path(), .split = "train"};
  EXPECT_THAT(open_error(config), HasSubstr("no data_batch_*.bin"));
  folder.write("data_batch_1.bin", cifar_records({1, 10}));
  EXPECT_THAT(open_error(config), HasSubstr("data_batch_1.bin: byte 3073: label 10"));
  Bytes cut = cifar_records({1});
  cut.pop_back();
  folder.write("data_batch_1.bin", cut);
  EXPECT_THAT(open_error(config), HasSubstr("has 3072 bytes, a positive multiple of 3073"));
  folder.write("data_batch_1.bin", {});
  EXPECT_THAT(open_error(config), HasSubstr("has 0 bytes"));
  config.split = "validation";
  EXPECT_THAT(open_error(config), HasSubstr("\"train\" or \"test\", found \"validation\""));
  config.split = "test";
  EXPECT_THAT(open_error(config), HasSubstr("test_batch.bin: no such file"));
  EXPECT_THAT(open_error({.format = "cifar10", .path = folder / "absent", .split = "train"}), HasSubstr("absent"));
}

TEST(Arrays, LoadNpyAndNpz) {
  const TempFolder folder;
  const Tensor bytes = Tensor::of<std::uint8_t>({2, 1, 2}, std::vector<std::uint8_t>{0, 51, 102, 255});
  const Tensor floats = Tensor::of<double>({2, 1, 1, 2}, std::vector<double>{-1, 0.5, 7, 1e-3});
  const Tensor labels = Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{2, 0});
  write_npy(folder / "bytes.npy", bytes);
  write_npy(folder / "labels.npy", labels);
  write_npz(folder / "both.npz", {{"x", floats}, {"labels", labels}}, true);
  const auto npy = open_dataset({.format = "npy", .path = folder / "bytes.npy", .labels = folder / "labels.npy"});
  EXPECT_EQ(npy->image(), (Spec{DType::kFloat32, {1, 2, 1}}));
  EXPECT_THAT(labels_of(*npy), ElementsAre(2, 0));
  std::vector<float> image(2);
  load_values(*npy, 1, image);
  EXPECT_THAT(image, ElementsAre(102 / 255.0F, 1));
  const auto npz = open_dataset({.format = "npz", .path = folder / "both.npz", .images_key = "x"});
  EXPECT_EQ(npz->image(), (Spec{DType::kFloat32, {1, 1, 2}}));
  load_values(*npz, 0, image);
  EXPECT_THAT(image, ElementsAre(-1, 0.5F));

  EXPECT_THAT(open_error({.format = "npy", .path = folder / "bytes.npy"}), HasSubstr("needs the path of its labels"));
  EXPECT_THAT(open_error({.format = "npz", .path = folder / "both.npz"}),
              HasSubstr("no array \"images\"; it has labels, x"));
  EXPECT_THAT(open_error({.format = "npy", .path = folder / "labels.npy", .labels = folder / "labels.npy"}),
              HasSubstr("[samples, height, width, channels]"));
  EXPECT_THAT(open_error({.format = "npy", .path = folder / "bytes.npy", .labels = folder / "bytes.npy"}),
              HasSubstr("labels are integers of shape [samples]"));
  EXPECT_THAT(open_error({.format = "npz", .path = folder / "both.npz", .images_key = "x", .labels_key = "x"}),
              HasSubstr("both.npz(x): labels are integers"));
  write_npy(folder / "negative.npy", Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{0, -1}));
  EXPECT_THAT(open_error({.format = "npy", .path = folder / "bytes.npy", .labels = folder / "negative.npy"}),
              HasSubstr("label 1: found -1"));
  write_npy(folder / "huge.npy", Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{0, 2147483647}));
  EXPECT_THAT(open_error({.format = "npy", .path = folder / "bytes.npy", .labels = folder / "huge.npy"}),
              HasSubstr("label 1: found 2147483647"));
}

Bytes grey(int width, int height, int value) {
  return png_file(width, height, Bytes(static_cast<std::size_t>(width * height), static_cast<std::byte>(value)),
                  {.kind = test::PngKind::kGrey});
}

TEST(ImageFolder, SortsClassesAndFiles) {
  const TempFolder folder;
  folder.write("train/dog/b.png", grey(4, 4, 20));
  folder.write("train/dog/a.PNG", grey(4, 4, 10));
  folder.write("train/cat/deep/er/c.jpeg", test::jpeg_file(4, 4, Bytes(48, std::byte{30})));
  folder.write("train/cat/.hidden.png", test::bytes_of("not an image"));
  folder.write("train/cat/notes.txt", test::bytes_of("not an image"));
  folder.write("train/.git/x.png", grey(4, 4, 0));
  folder.write("train/readme", {});
  DatasetConfig config{.format = "folder", .path = folder.path(), .split = "train"};
  const auto dataset = open_dataset(config);
  EXPECT_EQ(dataset->image(), (Spec{DType::kFloat32, {0, 0, 3}}));
  EXPECT_THAT(dataset->class_names(), ElementsAre("cat", "dog"));
  EXPECT_THAT(labels_of(*dataset), ElementsAre(0, 1, 1));
  std::vector<float> image(48);
  load_values(*dataset, 1, image);
  EXPECT_THAT(image, testing::Each(10 / 255.0F));

  config.class_names = {"dog", "bird", "cat"};
  EXPECT_THAT(labels_of(*open_dataset(config)), ElementsAre(2, 0, 0));
  config.class_names = {"dog"};
  EXPECT_THAT(open_error(config), HasSubstr("cat: is not one of the class names"));
}

// The images of a folder have many sizes; a view brings them to one.
TEST(ImageFolder, BringsImagesToOneSize) {
  const TempFolder folder;
  // The outer quarters of the wide image are black and fall outside the centred square.
  Bytes wide;
  for (int i = 0; i < 8 * 4; ++i) wide.push_back(static_cast<std::byte>(i % 8 < 2 || i % 8 >= 6 ? 0 : 200));
  folder.write("a/wide.png", png_file(8, 4, wide, {.kind = test::PngKind::kGrey}));
  folder.write("a/x.png", grey(2, 2, 200));
  folder.write("a/y.png", grey(31, 57, 200));
  const std::shared_ptr<Dataset> dataset = open_dataset({.format = "folder", .path = folder.path(), .channels = 1});
  Augmentation augmentation{.crop_height = 3, .crop_width = 3};
  EXPECT_THAT(error_of<InputError>([&] { augmentation.output(dataset->image()); }), HasSubstr("many sizes"));
  augmentation.view = ImageView{};
  Loader loader(dataset, {.batch_size = 3, .shuffle = false, .views = {{.augmentation = augmentation}}});
  EXPECT_EQ(loader.fields().at("image").spec.shape, (Shape{3, 3, 1}));
  EXPECT_THAT(loader.next()->at("image").values<float>(), testing::Each(testing::FloatNear(200 / 255.0F, 1e-6F)));
}

TEST(ImageFolder, NamesWhatIsWrong) {
  const TempFolder folder;
  DatasetConfig config{.format = "folder", .path = folder.path()};
  EXPECT_THAT(open_error({.format = "folder", .path = folder / "absent"}),
              HasSubstr("absent: the folder cannot be read"));
  EXPECT_THAT(open_error(config), HasSubstr("has no sub-folder"));
  folder.write("cat/notes.txt", {});
  EXPECT_THAT(open_error(config), HasSubstr("cat: has no .png, .jpg or .jpeg"));
  folder.write("cat/bad.png", test::bytes_of("text"));
  config.channels = 2;
  EXPECT_THAT(open_error(config), HasSubstr("channels: found 2"));
  config.channels = 3;
  const std::shared_ptr<Dataset> dataset = open_dataset(config);
  const Augmentation augmentation{.crop_height = 4, .crop_width = 4, .view = ImageView{}};
  Loader loader(dataset, {.batch_size = 1, .workers = 2, .views = {{.augmentation = augmentation}}});
  EXPECT_THAT(error_of<FileError>([&] { loader.next(); }), HasSubstr("cat/bad.png: first bytes: neither"));
}

}  // namespace
}  // namespace chiasm
