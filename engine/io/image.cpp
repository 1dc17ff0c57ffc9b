// SPDX-License-Identifier: Apache-2.0
#include "engine/io/image.h"

#include <algorithm>
#include <array>

#include "engine/io/image_codecs.h"
#include "engine/io/input_file.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMostFileBytes = std::int64_t{1} << 30;

bool begins_with(std::span<const std::byte> file, std::span<const std::uint8_t> magic) {
  return file.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin(),
                    [](std::uint8_t a, std::byte b) { return a == std::to_integer<std::uint8_t>(b); });
}

}  // namespace

void check_image_size(std::int64_t height, std::int64_t width, std::int64_t file_bytes,
                      std::int64_t most_pixels_per_byte, const std::string& name) {
  const std::string size = std::to_string(width) + " x " + std::to_string(height) + " pixels";
  if (height < 1 || width < 1) throw FileError(name, "image size", size);
  if (height > kMostPixels / width) {
    throw FileError(name, "image size", size + ", at most " + std::to_string(kMostPixels) + " in all are allowed");
  }
  if (height * width / most_pixels_per_byte > file_bytes) {
    throw FileError(name, "image size", size + " cannot be in a file of " + std::to_string(file_bytes) + " bytes");
  }
}

ByteImage decode_image(std::span<const std::byte> file, const std::string& name) {
  constexpr std::array<std::uint8_t, 8> kPng{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::array<std::uint8_t, 3> kJpeg{0xff, 0xd8, 0xff};
  if (begins_with(file, kPng)) return decode_png(file, name);
  if (begins_with(file, kJpeg)) return decode_jpeg(file, name);
  throw FileError(name, "first bytes", "neither a PNG nor a JPEG image");
}

ByteImage read_image(const std::string& path) { return decode_image(read_file(path, kMostFileBytes), path); }

}  // namespace chiasm
