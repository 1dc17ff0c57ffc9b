// SPDX-License-Identifier: Apache-2.0
#include "engine/data/idx.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "kernels/error.h"
#include "tests/support/dataset.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::error_of;
using test::load_values;
using test::TempFolder;
using testing::HasSubstr;

Bytes idx(std::vector<std::uint32_t> sizes, const Bytes& values, int type = 8) {
  Bytes file{std::byte{0}, std::byte{0}, static_cast<std::byte>(type), static_cast<std::byte>(sizes.size())};
  for (std::uint32_t size : sizes) test::append_big_endian(file, size);
  test::append(file, values);
  return file;
}

TEST(Idx, LoadsImagesAndLabels) {
  const TempFolder folder;
  const Bytes pixels = test::noise(5 * 3 * 2);
  const Bytes labels{std::byte{2}, std::byte{0}, std::byte{1}, std::byte{2}, std::byte{2}};
  for (const bool compressed : {false, true}) {
    const Bytes images_file = idx({5, 3, 2}, pixels), labels_file = idx({5}, labels);
    DatasetConfig config{.format = "idx"};
    config.path = folder.write("images", compressed ? test::gzip(images_file) : images_file);
    config.labels = folder.write("labels", compressed ? test::gzip(labels_file) : labels_file);
    const auto dataset = open_dataset(config);
    ASSERT_EQ(dataset->size(), 5);
    EXPECT_EQ(dataset->image(), (Spec{DType::kFloat32, {3, 2, 1}}));
    EXPECT_THAT(dataset->class_names(), testing::ElementsAre("0", "1", "2"));
    for (int i = 0; i < 5; ++i) {
      std::vector<float> image(6);
      EXPECT_EQ(load_values(*dataset, i, image), std::to_integer<int>(labels[static_cast<std::size_t>(i)]));
      for (std::size_t k = 0; k < 6; ++k) {
        EXPECT_EQ(image[k], std::to_integer<int>(pixels[static_cast<std::size_t>(i) * 6 + k]) / 255.0F);
      }
    }
  }
}

TEST(Idx, NamesTheFieldThatIsWrong) {
  const TempFolder folder;
  const auto error = [&](const Bytes& content) {
    const std::string path = folder.write("bad", content);
    return error_of<FileError>([&] { read_idx(path); });
  };
  EXPECT_THAT(error({}), HasSubstr("magic number"));
  EXPECT_THAT(error(test::bytes_of("PNG!....")), HasSubstr("begins with two zero bytes, found 80, 78"));
  EXPECT_THAT(error(idx({2}, Bytes(2), 0x0D)), HasSubstr("element type: found 13"));
  EXPECT_THAT(error(idx({}, Bytes(1))), HasSubstr("rank: found 0"));
  EXPECT_THAT(error(idx(std::vector<std::uint32_t>(9, 1), Bytes(1))), HasSubstr("rank: found 9"));
  EXPECT_THAT(error(idx({4, 4}, Bytes(15))), HasSubstr("values of [4, 4]: needs 16 bytes, at most 15"));
  EXPECT_THAT(error(idx({4, 4}, Bytes(17))), HasSubstr("bytes follow"));
  EXPECT_THAT(error(idx(std::vector<std::uint32_t>(3, 0xFFFFFFFF), Bytes(16))), HasSubstr("sizes"));
  // A header that claims 16 GB costs neither memory nor time, compressed or not.
  const Bytes lie = idx({1 << 20, 128, 128}, Bytes(100000));
  EXPECT_THAT(error(lie), HasSubstr("at most 100000"));
  EXPECT_THAT(error(test::gzip(lie)), HasSubstr("needs 17179869184 bytes"));
}

TEST(Idx, RefusesPairsThatDoNotFit) {
  const TempFolder folder;
  const std::string images = folder.write("images", idx({2, 2, 2}, Bytes(8)));
  const auto error = [&](const std::string& images_path, const std::string& labels, DatasetConfig config = {}) {
    config.format = "idx";
    config.path = images_path;
    config.labels = labels;
    return error_of<InputError>([&] { open_dataset(config); });
  };
  const std::string three = folder.write("three", idx({3}, Bytes(3)));
  EXPECT_THAT(error(images, three), HasSubstr("3 labels for the 2 images"));
  EXPECT_THAT(error(three, images), HasSubstr("labels have one axis"));
  EXPECT_THAT(error(three, three), HasSubstr("[samples, height, width, channels], found [3]"));
  EXPECT_THAT(error(images, ""), HasSubstr("needs the path of its labels"));
  EXPECT_THAT(error(folder.path(), ""), HasSubstr("split must be \"train\" or \"test\", found \"\""));
  EXPECT_THAT(error(folder.path(), "", {.split = "test"}), HasSubstr("neither t10k-images-idx3-ubyte nor"));
  const std::string nines = folder.write("nines", idx({2}, Bytes(2, std::byte{9})));
  EXPECT_THAT(error(images, nines, {.class_names = {"a", "b"}}), HasSubstr("label 0: found 9, 0 to 1 are allowed"));
  const std::string none = folder.write("none", idx({0, 2, 2}, {})),
                    no_labels = folder.write("no_labels", idx({0}, {}));
  EXPECT_THAT(error(none, no_labels), HasSubstr("no samples"));
  EXPECT_THAT(error(images, nines, {.limit = -1}), HasSubstr("limit"));
}

TEST(Idx, SurvivesDamage) {
  const Bytes valid = idx({3, 4, 5}, test::noise(60));
  const auto load = [](const std::string& path) { read_idx(path); };
  EXPECT_GT(test::expect_survives_damage(valid, 16, 1000, true, load), 100);
  EXPECT_GT(test::expect_survives_damage(test::gzip(valid), 32, 3000, true, load), 100);
}

TEST(Idx, LimitKeepsEvenlySpacedSamples) {
  const TempFolder folder;
  Bytes labels(10);
  for (int i = 0; i < 10; ++i) labels[static_cast<std::size_t>(i)] = static_cast<std::byte>(i);
  DatasetConfig config{.format = "idx", .limit = 4};
  config.path = folder.write("images", idx({10, 1, 1}, Bytes(10)));
  config.labels = folder.write("labels", idx({10}, labels));
  const auto dataset = open_dataset(config);
  ASSERT_EQ(dataset->size(), 4);
  std::vector<int> kept;
  std::vector<float> pixel;
  for (int i = 0; i < 4; ++i) kept.push_back(load_values(*dataset, i, pixel));
  EXPECT_THAT(kept, testing::ElementsAre(0, 2, 5, 7));
  EXPECT_EQ(dataset->classes(), 10);
}

TEST(OpenDataset, NamesTheFormats) {
  EXPECT_THAT(error_of<InputError>([] { open_dataset({.format = "tfrecord"}); }),
              HasSubstr("found \"tfrecord\", allowed are idx, cifar10, folder, npy, npz"));
}

TEST(Idx, LoadsFashionMnist) {
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  // Facts of the published set: sizes, classes, balance; the mean pixel is the widely used normalisation constant
  // 0.2860.
  const auto train = open_dataset({.format = "idx", .path = folder, .split = "train"});
  const auto test = open_dataset({.format = "idx", .path = folder, .split = "test"});
  EXPECT_EQ(train->size(), 60000);
  EXPECT_EQ(test->size(), 10000);
  EXPECT_EQ(train->image(), (Spec{DType::kFloat32, {28, 28, 1}}));
  EXPECT_EQ(train->classes(), 10);
  std::vector<float> image(784);
  std::vector<int> count(10);
  double sum = 0;
  for (std::int64_t i = 0; i < train->size(); ++i) {
    ++count[static_cast<std::size_t>(load_values(*train, i, image))];
    sum += std::accumulate(image.begin(), image.end(), 0.0);
  }
  EXPECT_THAT(count, testing::Each(6000));
  EXPECT_NEAR(sum / (60000.0 * 784), 0.2860, 5e-5);
}

}  // namespace
}  // namespace chiasm
