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

void convert_channels(ByteImage& image, int channels) {
  if (image.channels == channels) return;
  const std::size_t count = static_cast<std::size_t>(image.height * image.width);
  std::vector<std::uint8_t> pixels(count * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < count; ++i) {
    if (channels == 3) {
      std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, image.pixels[i]);
    } else {
      // ITU-R 601 luma, rounded, in 16 fractional bits: 19595 + 38470 + 7471 = 65536.
      const std::uint8_t* rgb = image.pixels.data() + 3 * i;
      pixels[i] = static_cast<std::uint8_t>((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 32768U) >> 16);
    }
  }
  image.pixels = std::move(pixels);
  image.channels = channels;
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

ByteImage decode_image(std::span<const std::byte> file, const std::string& name, int channels) {
  if (channels != 1 && channels != 3) {
    throw InputError("images are read with 1 or 3 channels, found " + std::to_string(channels));
  }
  ByteImage image = decode_image(file, name);
  convert_channels(image, channels);
  return image;
}

ByteImage read_image(const std::string& path, int channels) {
  return decode_image(read_file(path, kMostFileBytes), path, channels);
}

}  // namespace chiasm
