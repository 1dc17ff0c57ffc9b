// SPDX-License-Identifier: Apache-2.0
// Decoding of PNG and JPEG images. Pixels come as the file has them: alpha is dropped (not blended), 16-bit samples are
// rounded to 8, no gamma or colour profile is applied, an EXIF orientation is not applied (exif.h); what most image
// loaders for networks do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chiasm {

struct ByteImage {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, channels]
};

// The largest image, a bound on what a lying header can cost.
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 27;

// PNG or JPEG, told apart by content, with one channel when it is grey, else three (RGB). `name` stands for the file in
// messages. Throws FileError for malformed, truncated, oversized and unsupported images (CMYK, arithmetic coding).
// Thread-safe.
ByteImage decode_image(std::span<const std::byte> file, const std::string& name);
ByteImage read_image(const std::string& path);

// The luma of a colour, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded in 16 fractional bits as Pillow does.
// REQUIRES: three bytes.
inline std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 32768U) >> 16);
}

}  // namespace chiasm
