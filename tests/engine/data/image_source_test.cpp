// SPDX-License-Identifier: Apache-2.0
#include "engine/data/image_source.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "engine/data/dataset.h"
#include "engine/data/resize.h"
#include "engine/io/npy.h"
#include "engine/io/zip.h"
#include "kernels/error.h"
#include "tests/support/dataset.h"
#include "tests/support/file_corpus.h"
#include "tests/support/image_files.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::error_of;
using test::noise;
using test::png_file;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<float> load(const ImageSource& source, std::int64_t index) {
  std::vector<float> image(static_cast<std::size_t>(source.shape().elements()));
  source.load(index, image);
  return image;
}

std::vector<std::string> ids(const ImageSource& source) {
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < source.size(); ++i) all.push_back(source.id(i));
  return all;
}

float unit(std::byte value) { return static_cast<float>(std::to_integer<int>(value)) / 255.0F; }

// A folder and a zip file of the same images.
struct Corpus {
  TempFolder folder;
  Bytes grey = noise(6 * 4, 1), colour = noise(6 * 4 * 3, 2);

  Corpus() {
    write("images/b/colour.png", png_file(6, 4, colour));
    write("images/a.png", png_file(6, 4, grey, {.kind = test::PngKind::kGrey}));
    write("images/.hidden.png", test::bytes_of("no image"));
    write("images/__MACOSX/b.png", test::bytes_of("no image"));
    write("images/notes.txt", test::bytes_of("read me"));
    zip.commit();
  }
  void write(const std::string& name, const Bytes& content) {
    folder.write(name, content);
    zip.add(name, std::array<std::span<const std::byte>, 1>{content}, true);
  }
  ZipWriter zip{folder / "images.zip"};
};

// The 92 objects of Kriegeskorte et al. 2008, and the same images as an array.
TEST(ImageSource, ReadsTheImagesOfAMatlabStruct) {
  const std::string file = test::shared_data("macaque_it92/Kriegeskorte_Neuron2008_supplementalData.mat");
  const std::string array = test::shared_data("macaque_it92/stimuli_92x175x175x3_u8.npy");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const auto mat = open_images({.path = file, .key = "stimuli_92objs.image", .shape = {175, 175, 3}});
  const auto npy = open_images({.path = array, .shape = {175, 175, 3}});
  ASSERT_EQ(mat->size(), 92);
  for (const std::int64_t i : {0, 1, 9, 10, 91}) EXPECT_EQ(load(*mat, i), load(*npy, i));
  const auto error = [&](const std::string& key) {
    return error_of<FileError>([&] { open_images({.path = file, .key = key, .shape = {175, 175, 3}}); });
  };
  EXPECT_THAT(error(""), HasSubstr("say where the images are, as cell or struct.field; it has "));
  EXPECT_THAT(error("stimuli_92objs.picture"), HasSubstr("is a struct with the fields category"));
  EXPECT_THAT(error("stimuli_92objs.category"), HasSubstr("[0]: images are [H, W] or [H, W, C]"));
  EXPECT_THAT(error("categoryVectors"), HasSubstr("is no cell and no struct"));
}

TEST(ImageSource, GreyNetworksSeeTheLumaOfColours) {
  const test::TempFolder folder;
  const std::vector<float> colours{1, 0, 0, 0, 1, 0, 0, 0, 1, 0.7F, 0.7F, 0.7F};
  write_npy(folder / "colours.npy", Tensor::of<float>({1, 2, 2, 3}, colours));
  const auto source = open_images({.path = folder / "colours.npy", .shape = {2, 2, 1}});
  EXPECT_EQ(load(*source, 0), (std::vector<float>{0.299F, 0.587F, 0.114F, 0.7F}));
  // Of bytes a byte, as training sees it.
  folder.write("i/a.png", png_file(1, 1, noise(3, 5)));
  folder.write("i/b.png", png_file(1, 1, noise(3, 6)));
  const auto stimuli = open_images({.path = folder / "i", .shape = {1, 1, 1}});
  const auto training = open_dataset({.format = "folder", .path = folder.path(), .channels = 1});
  for (const std::int64_t i : {0, 1}) {
    std::vector<float> expected;
    test::load_values(*training, i, expected);
    EXPECT_EQ(load(*stimuli, i), expected);
    EXPECT_EQ(expected[0], std::round(expected[0] * 255.0F) / 255.0F);
  }
}

TEST(ImageSource, FoldersAndZipsGiveTheSameImagesInOrder) {
  const Corpus corpus;
  const auto from_folder = open_images({.path = corpus.folder / "images", .shape = {4, 6, 3}});
  const auto from_zip = open_images({.path = corpus.folder / "images.zip", .shape = {4, 6, 3}});
  EXPECT_THAT(ids(*from_folder), ElementsAre("a.png", "b/colour.png"));
  EXPECT_THAT(ids(*from_zip), ElementsAre("images/a.png", "images/b/colour.png"));
  for (const auto* source : {from_folder.get(), from_zip.get()}) {
    const std::vector<float> grey = load(*source, 0), colour = load(*source, 1);
    for (std::size_t i = 0; i < grey.size(); ++i) {
      EXPECT_EQ(grey[i], unit(corpus.grey[i / 3]));  // repeated over the channels
      EXPECT_EQ(colour[i], unit(corpus.colour[i]));
    }
  }
}

TEST(ImageSource, ArraysKeepFloatsAndScaleBytes) {
  const TempFolder folder;
  std::vector<float> values(2 * 3 * 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 5.5F;
  write_npy(folder / "grey.npy", Tensor::of<float>({2, 3, 4}, values));
  const auto grey = open_images({.path = folder / "grey.npy", .shape = {3, 4, 2}});
  EXPECT_THAT(ids(*grey), ElementsAre("0", "1"));
  EXPECT_EQ(load(*grey, 1)[2 * 7 + 1], values[12 + 7]);
  write_npz(folder / "two.npz", {{"x", Tensor::of<std::uint8_t>({1, 1, 1, 3}, std::vector<std::uint8_t>{0, 51, 255})},
                                 {"y", Tensor::zeros(DType::kFloat32, {1})}});
  const auto bytes = open_images({.path = folder / "two.npz", .key = "x", .shape = {1, 1, 3}});
  EXPECT_THAT(load(*bytes, 0), ElementsAre(0.0F, 51 / 255.0F, 1.0F));
}

TEST(ImageSource, ResizesTheWholeImageOrCrops) {
  const TempFolder folder;
  std::vector<float> values(8 * 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7);
  write_npy(folder / "a.npy", Tensor::of<float>({1, 4, 8}, values));
  const auto whole = open_images({.path = folder / "a.npy", .shape = {4, 4, 1}});
  const Pixels image{.height = 4, .width = 8, .channels = 1, .values = values};
  EXPECT_EQ(load(*whole, 0), resize(image, {.height = 4, .width = 8}, {4, 4}, Interpolation::kBilinear).values);
  const auto crop = open_images({.path = folder / "a.npy", .shape = {4, 4, 1}, .fit = ImageFit::kView});
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(load(*crop, 0)[i], values[i / 4 * 8 + 2 + i % 4]);
}

TEST(ImageSource, NamesWhatIsWrong) {
  const TempFolder folder;
  const auto open_error = [&](const std::string& name, const std::string& key = "") {
    return error_of<InputError>([&] { open_images({.path = folder / name, .key = key, .shape = {4, 6, 1}}); });
  };
  folder.write("empty/readme.txt", {});
  EXPECT_THAT(open_error("empty"), HasSubstr("empty: has no .png"));
  EXPECT_THAT(open_error("none.zip"), HasSubstr("none.zip: no such file"));
  EXPECT_THAT(open_error("none"), HasSubstr("none: no such file"));
  EXPECT_THAT(open_error("empty/readme.txt"), HasSubstr("a folder, or as a .zip, .npy, .npz or .mat"));
  write_npz(folder / "no_images.zip", {{"x", Tensor::zeros(DType::kFloat32, {2})}});
  EXPECT_THAT(open_error("no_images.zip"), HasSubstr("no_images.zip: has no .png"));
  write_npy(folder / "flat.npy", Tensor::zeros(DType::kFloat32, {5, 4}));
  EXPECT_THAT(open_error("flat.npy"), HasSubstr("flat.npy: images are [N, H, W]"));
  write_npy(folder / "labels.npy", Tensor::zeros(DType::kInt32, {5, 4, 4}));
  EXPECT_THAT(open_error("labels.npy"), HasSubstr("found int32[5, 4, 4]"));
  write_npy(folder / "nothing.npy", Tensor::zeros(DType::kFloat32, {0, 4, 4}));
  EXPECT_THAT(open_error("nothing.npy"), HasSubstr("nothing.npy: has no image"));
  write_npz(folder / "two.npz",
            {{"a", Tensor::zeros(DType::kFloat32, {1})}, {"b", Tensor::zeros(DType::kFloat32, {1})}});
  EXPECT_THAT(open_error("two.npz"), HasSubstr("several arrays; say which: a, b"));
  EXPECT_THAT(open_error("two.npz", "c"), HasSubstr("has no array \"c\"; it has a, b"));

  const auto load_error = [&](const std::string& name, std::int64_t index = 0) {
    const auto source = open_images({.path = folder / name, .shape = {4, 6, 1}});
    return error_of<FileError>([&] { load(*source, index); });
  };
  const Bytes png = png_file(6, 4, noise(6 * 4 * 3));
  write_npy(folder / "pairs.npy", Tensor::zeros(DType::kFloat32, {1, 4, 6, 2}));
  EXPECT_THAT(load_error("pairs.npy"), HasSubstr("pairs.npy[0]: has 2 channels, the network takes 1"));
  folder.write("broken/a.png", Bytes(png.begin(), png.begin() + 60));
  EXPECT_THAT(load_error("broken"), HasSubstr("broken/a.png: PNG"));
  folder.write("gif/a.gif", test::bytes_of("GIF89a"));
  EXPECT_THAT(load_error("gif"), HasSubstr("gif/a.gif: first bytes: neither"));
  write_npy(folder / "nan.npy", Tensor::of<float>({2, 1, 1}, std::vector<float>{0, NAN}));
  EXPECT_THAT(load_error("nan.npy", 1), HasSubstr("nan.npy[1]: has values that are not finite"));
}

TEST(ImageSource, BrokenImagesAreFoundBeforehand) {
  const TempFolder folder;
  folder.write("i/a.png", png_file(2, 2, noise(12)));
  folder.write("i/b.png", test::bytes_of("text"));
  folder.write("i/c.png", png_file(3, 3, noise(27)));
  const auto source = open_images({.path = folder / "i", .shape = {2, 2, 3}});
  EXPECT_THAT(error_of<FileError>([&] { check_images(*source, false); }), HasSubstr("i/b.png"));
  const ImageCheck check = check_images(*source, true);
  EXPECT_THAT(check.good, ElementsAre(0, 2));
  EXPECT_THAT(check.broken, ElementsAre(HasSubstr("i/b.png")));
  EXPECT_EQ(check_images(*source, true, [](std::int64_t done) { return done < 1; }).good.size(), 1U);
}

}  // namespace
}  // namespace chiasm
