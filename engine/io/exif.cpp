// SPDX-License-Identifier: Apache-2.0
#include "engine/io/exif.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace chiasm {
namespace {

using Bytes = std::span<const std::byte>;

// Numbers of a file whose end may come at any place: 0 behind it.
class Numbers {
 public:
  Numbers(Bytes bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::uint32_t at(std::size_t place, int size) const {
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const std::size_t byte = place + static_cast<std::size_t>(big_endian_ ? i : size - 1 - i);
      value = value << 8 | (byte < bytes_.size() ? std::to_integer<std::uint32_t>(bytes_[byte]) : 0);
    }
    return value;
  }

 private:
  Bytes bytes_;
  bool big_endian_;
};

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::ranges::equal(bytes.first(text.size()), text, [](std::byte b, char c) {
           return b == static_cast<std::byte>(c);
         });
}

// Of a TIFF header and its first directory.
int tiff_orientation(Bytes tiff) {
  const bool big_endian = begins_with(tiff, "MM");
  if (!big_endian && !begins_with(tiff, "II")) return 1;
  const Numbers number(tiff, big_endian);
  constexpr std::uint32_t kTag = 0x0112, kShort = 3, kMostEntries = 1000;
  const std::size_t directory = number.at(4, 4);
  const std::uint32_t entries = std::min(number.at(directory, 2), kMostEntries);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * std::size_t{i};
    if (number.at(entry, 2) != kTag || number.at(entry + 2, 2) != kShort) continue;
    const std::uint32_t value = number.at(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

// Segments of a marker and a length each, up to the pixels.
int jpeg_orientation(Bytes file) {
  const Numbers number(file, true);
  for (std::size_t at = 2; at + 4 <= file.size() && number.at(at, 1) == 0xFF;) {
    const std::uint32_t marker = number.at(at + 1, 1), length = number.at(at + 2, 2);
    constexpr std::uint32_t kApp1 = 0xE1, kScan = 0xDA;
    if (marker == kScan || length < 2) return 1;
    constexpr std::string_view kExif("Exif\0\0", 6);
    const Bytes segment = file.subspan(at + 4, std::min<std::size_t>(length - 2, file.size() - at - 4));
    if (marker == kApp1 && begins_with(segment, kExif)) return tiff_orientation(segment.subspan(kExif.size()));
    at += 2 + length;
  }
  return 1;
}

// Chunks of a length, a name, the data and a checksum each.
int png_orientation(Bytes file) {
  const Numbers number(file, true);
  for (std::size_t at = 8; at + 12 <= file.size();) {
    const std::size_t length = number.at(at, 4);
    const Bytes rest = file.subspan(at + 4);
    if (begins_with(rest, "IDAT") || length > file.size()) return 1;
    if (begins_with(rest, "eXIf")) return tiff_orientation(rest.subspan(4, std::min(length, rest.size() - 4)));
    at += 12 + length;
  }
  return 1;
}

}  // namespace

int exif_orientation(Bytes file) {
  if (begins_with(file, "\xFF\xD8")) return jpeg_orientation(file);
  return begins_with(file, "\x89PNG") ? png_orientation(file) : 1;
}

ByteImage oriented(const ByteImage& image, int orientation) {
  if (orientation == 1) return image;
  // Where the first row of what is seen lies in what is stored: 2 mirrors, 3 turns by 180 degrees, 4 mirrors upside
  // down, 5 to 8 exchange the axes as well.
  const bool exchanged = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  ByteImage out{exchanged ? image.width : image.height, exchanged ? image.height : image.width, image.channels, {}};
  out.pixels.resize(image.pixels.size());
  auto to = out.pixels.begin();
  for (std::int64_t y = 0; y < out.height; ++y) {
    for (std::int64_t x = 0; x < out.width; ++x) {
      std::int64_t row = exchanged ? x : y, column = exchanged ? y : x;
      if (from_bottom) row = image.height - 1 - row;
      if (from_right) column = image.width - 1 - column;
      to = std::copy_n(image.pixels.begin() + (row * image.width + column) * image.channels, image.channels, to);
    }
  }
  return out;
}

}  // namespace chiasm
