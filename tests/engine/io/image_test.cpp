// SPDX-License-Identifier: Apache-2.0
#include "engine/io/image.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/data/pixels.h"
#include "engine/io/crc32.h"
#include "kernels/error.h"
#include "tests/support/image_files.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::error_of;
using test::jpeg_file;
using test::JpegKind;
using test::png_file;
using test::PngKind;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

Bytes values(std::initializer_list<int> list) {
  Bytes bytes;
  for (const int value : list) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

std::vector<std::uint8_t> pixels(const Bytes& file, int channels) {
  Pixels image = pixels_of(decode_image(file, "image"));
  set_channels(image, channels, "image");
  return image.bytes;
}

TEST(Png, ReadsEveryKind) {
  EXPECT_THAT(pixels(png_file(2, 1, values({1, 2, 3, 4, 5, 6})), 3), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(pixels(png_file(2, 1, values({7, 9}), {.kind = PngKind::kGrey}), 1), ElementsAre(7, 9));
  EXPECT_THAT(pixels(png_file(2, 1, values({7, 9}), {.kind = PngKind::kGrey}), 3), ElementsAre(7, 7, 7, 9, 9, 9));
  // Luma of red, green and blue: 0.299, 0.587 and 0.114 of 255.
  EXPECT_THAT(pixels(png_file(3, 1, values({255, 0, 0, 0, 255, 0, 0, 0, 255})), 1), ElementsAre(76, 150, 29));
  // Alpha is dropped, whatever is below it.
  EXPECT_THAT(pixels(png_file(2, 1, values({7, 0, 9, 255}), {.kind = PngKind::kGreyAlpha}), 1), ElementsAre(7, 9));
  EXPECT_THAT(pixels(png_file(1, 2, values({1, 2, 3, 0, 4, 5, 6, 128}), {.kind = PngKind::kRgba}), 3),
              ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(pixels(png_file(2, 1, values({0, 3}), {.kind = PngKind::kGrey, .transparent = true}), 1),
              ElementsAre(0, 3));
  EXPECT_THAT(pixels(png_file(2, 1, values({0, 0, 0, 1, 2, 3}), {.transparent = true}), 3),
              ElementsAre(0, 0, 0, 1, 2, 3));
  for (const bool transparent : {false, true}) {
    EXPECT_THAT(pixels(png_file(2, 1, values({0, 3}), {.kind = PngKind::kPalette, .transparent = transparent}), 3),
                ElementsAre(0, 0, 0, 30, 60, 90));
  }
  // Packed bits: 2-bit palette 3 2 1 0; 1-bit grey 1 0 1; 4-bit grey 15 1.
  EXPECT_THAT(pixels(png_file(4, 1, values({0xE4}), {.kind = PngKind::kPalette, .bits = 2}), 3),
              ElementsAre(30, 60, 90, 20, 40, 60, 10, 20, 30, 0, 0, 0));
  EXPECT_THAT(pixels(png_file(3, 1, values({0xA0}), {.kind = PngKind::kGrey, .bits = 1}), 1), ElementsAre(255, 0, 255));
  EXPECT_THAT(pixels(png_file(2, 1, values({0xF1}), {.kind = PngKind::kGrey, .bits = 4}), 1), ElementsAre(255, 17));
  // 16 bits are rounded: 0x0080 is 0.498 of a byte's step, 0x0081 is 0.502.
  EXPECT_THAT(
      pixels(png_file(4, 1, values({0, 0x80, 0, 0x81, 0xFF, 0xFF, 0x80, 0}), {.kind = PngKind::kGrey, .bits = 16}), 1),
      ElementsAre(0, 1, 255, 128));
  EXPECT_THAT(pixels(png_file(1, 1, values({1, 1, 2, 2, 3, 3, 9, 9}), {.kind = PngKind::kRgba, .bits = 16}), 3),
              ElementsAre(1, 2, 3));
}

TEST(Png, ReadsInterlacedAsPlain) {
  const Bytes rows = test::noise(13 * 9 * 3);
  EXPECT_EQ(pixels(png_file(13, 9, rows, {.interlaced = true}), 3), pixels(png_file(13, 9, rows), 3));
}

// Smooth, as JPEG likes it, and different in every row, column and channel.
Bytes smooth(int width, int height, int channels) {
  Bytes bytes;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) bytes.push_back(static_cast<std::byte>(40 + 3 * x + 2 * y + 20 * c));
    }
  }
  return bytes;
}

TEST(Jpeg, ReadsGreyAndColourPlainAndProgressive) {
  for (const auto& [kind, channels] : {std::pair(JpegKind::kGrey, 1), std::pair(JpegKind::kRgb, 3)}) {
    const Bytes original = smooth(31, 18, channels);
    for (const bool progressive : {false, true}) {
      const ByteImage image =
          decode_image(jpeg_file(31, 18, original, {.kind = kind, .progressive = progressive}), "image");
      ASSERT_EQ(image.width, 31);
      ASSERT_EQ(image.height, 18);
      ASSERT_EQ(image.channels, channels);
      double worst = 0;
      for (std::size_t i = 0; i < original.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(image.pixels[i]) - std::to_integer<int>(original[i])));
      }
      // Quantisation at quality 95 has steps of at most 10 and, on a smooth ramp, costs a few levels.
      EXPECT_LE(worst, 6);
      EXPECT_GT(worst, 0);
    }
  }
}

TEST(Jpeg, IgnoresOrientation) {
  const Bytes original = smooth(20, 10, 3);
  EXPECT_EQ(pixels(jpeg_file(20, 10, original, {.exif_rotated = true}), 3), pixels(jpeg_file(20, 10, original), 3));
}

TEST(Jpeg, RefusesWhatItCannotShowRight) {
  const auto error = [](const Bytes& file) { return error_of<FileError>([&] { decode_image(file, "a.jpg"); }); };
  EXPECT_THAT(error(jpeg_file(8, 8, smooth(8, 8, 4), {.kind = JpegKind::kCmyk})), HasSubstr("a.jpg: JPEG: CMYK"));
  EXPECT_THAT(error(jpeg_file(8, 8, smooth(8, 8, 3), {.arithmetic = true})), HasSubstr("arithmetic coding"));
}

TEST(Image, RefusesOtherFilesAndChannels) {
  EXPECT_THAT(error_of<FileError>([] { decode_image({}, "a.png"); }), HasSubstr("neither a PNG nor a JPEG"));
  EXPECT_THAT(error_of<FileError>([] { decode_image(test::bytes_of("GIF89a.."), "a.png"); }), HasSubstr("neither"));
}

// Headers that claim more than their file can hold are refused before memory is taken.
TEST(Image, RefusesLyingSizes) {
  Bytes png = png_file(16, 16, Bytes(16 * 16 * 3));
  const auto claim = [&](std::uint32_t width, std::uint32_t height) {
    Bytes ihdr = test::bytes_of("IHDR");
    test::append_big_endian(ihdr, width);
    test::append_big_endian(ihdr, height);
    ihdr.insert(ihdr.end(), png.begin() + 24, png.begin() + 29);  // depth, type, methods
    test::append_big_endian(ihdr, crc32(ihdr));
    std::copy(ihdr.begin(), ihdr.end(), png.begin() + 12);
    return error_of<FileError>([&] { decode_image(png, "a.png"); });
  };
  EXPECT_THAT(claim(20000, 20000), HasSubstr("20000 x 20000 pixels, at most 134217728"));
  EXPECT_THAT(claim(10000, 10000), HasSubstr("10000 x 10000 pixels cannot be in a file of"));
  EXPECT_THAT(claim(0xFFFFFFFF, 0xFFFFFFFF), HasSubstr("a.png: PNG"));
  EXPECT_THAT(claim(0, 16), HasSubstr("a.png: PNG"));
  EXPECT_THAT(claim(16, 17), HasSubstr("a.png: PNG"));

  Bytes jpeg = jpeg_file(16, 16, smooth(16, 16, 3));
  const auto marker = std::ranges::search(jpeg, values({0xFF, 0xC0})).begin();
  ASSERT_NE(marker, jpeg.end());
  std::fill_n(marker + 5, 4, std::byte{0x20});  // 8224 x 8224
  EXPECT_THAT(error_of<FileError>([&] { decode_image(jpeg, "a.jpg"); }), HasSubstr("8224 x 8224 pixels cannot be"));
  std::fill_n(marker + 5, 4, std::byte{0xF0});  // 61680 x 61680
  EXPECT_THAT(error_of<FileError>([&] { decode_image(jpeg, "a.jpg"); }), HasSubstr("at most 134217728"));
}

TEST(Image, SurvivesDamage) {
  const auto load = [](const std::string& path) { read_image(path); };
  const Bytes noise = test::noise(24 * 10 * 3);
  for (const Bytes& png :
       {png_file(24, 10, noise), png_file(24, 10, noise, {.interlaced = true, .transparent = true}),
        png_file(24, 10, Bytes(240, std::byte{2}), {.kind = PngKind::kPalette, .transparent = true})}) {
    EXPECT_GT(test::expect_survives_damage(png, 64, 1000, true, load), 500);
  }
  for (const bool progressive : {false, true}) {
    const Bytes jpeg = jpeg_file(24, 10, noise, {.progressive = progressive});
    EXPECT_GT(test::expect_survives_damage(jpeg, jpeg.size() / 2, 2000, false, load), 500);
  }
}

TEST(Jpeg, RefusesTruncation) {
  for (const bool progressive : {false, true}) {
    const Bytes jpeg = jpeg_file(24, 10, test::noise(24 * 10 * 3), {.progressive = progressive});
    for (std::size_t length = 0; length < jpeg.size(); ++length) {
      EXPECT_THROW(decode_image(std::span(jpeg).first(length), "a.jpg"), FileError) << length << " of " << jpeg.size();
    }
  }
}

}  // namespace
}  // namespace chiasm
