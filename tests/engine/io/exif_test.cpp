// SPDX-License-Identifier: Apache-2.0
#include "engine/io/exif.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

using testing::ElementsAre;

std::string big16(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

// The head of a JPEG file with an orientation, in either byte order of the TIFF inside.
std::string jpeg_head(bool big_endian, unsigned orientation) {
  const auto number = [&](unsigned value, int size) {
    std::string text;
    for (int i = 0; i < size; ++i) text += static_cast<char>(value >> 8 * (big_endian ? size - 1 - i : i));
    return text;
  };
  const std::string tiff = (big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) + number(2, 2) +
                           number(0x010F, 2) + number(2, 2) + number(4, 4) + "abc" + '\0' + number(0x0112, 2) +
                           number(3, 2) + number(1, 4) + number(orientation, 2) + number(0, 2) + number(0, 4);
  const std::string exif = std::string("Exif\0\0", 6) + tiff;
  return "\xFF\xD8\xFF\xE0" + big16(4) + "JF" + "\xFF\xE1" + big16(static_cast<unsigned>(exif.size()) + 2) + exif +
         "\xFF\xDA" + big16(2);
}

TEST(Exif, ReadsTheOrientation) {
  for (unsigned orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      EXPECT_EQ(exif_orientation(bytes_of(jpeg_head(big_endian, orientation))), static_cast<int>(orientation));
    }
  }
  for (const unsigned none : {0U, 9U, 600U}) EXPECT_EQ(exif_orientation(bytes_of(jpeg_head(true, none))), 1);
  const std::string jpeg = jpeg_head(false, 6);
  // A PNG file keeps the same TIFF in a chunk.
  const std::string tiff = jpeg.substr(jpeg.find("II"), jpeg.size() - 4 - jpeg.find("II"));
  const std::string png =
      std::string("\x89PNG\r\n\x1A\n\0\0\0", 11) + static_cast<char>(tiff.size()) + "eXIf" + tiff + "sum.";
  EXPECT_EQ(exif_orientation(bytes_of(png)), 6);
}

TEST(Exif, IsOneWhereAFileIsCutOrDamaged) {
  const std::string whole = jpeg_head(false, 6);
  int found = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const int orientation = exif_orientation(bytes_of(whole.substr(0, size)));
    EXPECT_TRUE(orientation == 1 || orientation == 6) << size;
    found += orientation == 6;
  }
  EXPECT_GT(found, 0);
  for (std::size_t at = 2; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\x7F', '\xFF'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      const int orientation = exif_orientation(bytes_of(damaged));
      EXPECT_TRUE(orientation >= 1 && orientation <= 8) << at;
    }
  }
}

// 1 2 3
// 4 5 6  as Pillow's ImageOps.exif_transpose turns it.
TEST(Exif, TurnsImages) {
  const ByteImage image{2, 3, 1, {1, 2, 3, 4, 5, 6}};
  const auto turned = [&](int orientation) { return oriented(image, orientation); };
  EXPECT_THAT(turned(1).pixels, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(turned(2).pixels, ElementsAre(3, 2, 1, 6, 5, 4));
  EXPECT_THAT(turned(3).pixels, ElementsAre(6, 5, 4, 3, 2, 1));
  EXPECT_THAT(turned(4).pixels, ElementsAre(4, 5, 6, 1, 2, 3));
  EXPECT_THAT(turned(5).pixels, ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(turned(6).pixels, ElementsAre(4, 1, 5, 2, 6, 3));
  EXPECT_THAT(turned(7).pixels, ElementsAre(6, 3, 5, 2, 4, 1));
  EXPECT_THAT(turned(8).pixels, ElementsAre(3, 6, 2, 5, 1, 4));
  EXPECT_EQ(turned(6).height, 3);
  EXPECT_EQ(turned(6).width, 2);
  const ByteImage colours{1, 2, 3, {1, 2, 3, 4, 5, 6}};
  EXPECT_THAT(oriented(colours, 3).pixels, ElementsAre(4, 5, 6, 1, 2, 3));
}

}  // namespace
}  // namespace chiasm::test
