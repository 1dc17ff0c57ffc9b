// SPDX-License-Identifier: Apache-2.0
// Decoding of PNG and JPEG images. Pixels come as the file has them: alpha is dropped (not blended), 16-bit samples are
// rounded to 8, no gamma or colour profile is applied, an EXIF orientation is not applied (exif.h); what most image loaders for
// networks do.
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

// PNG or JPEG, told apart by content. `channels` is 3 (RGB; grey is repeated) or 1 (luma 0.299 R + 0.587 G + 0.114 B).
// `name` stands for the file in messages. Throws FileError for malformed, truncated, oversized and unsupported images
// (CMYK, arithmetic coding). Thread-safe.
ByteImage decode_image(std::span<const std::byte> file, const std::string& name, int channels);
// The same with the channels the file has: 1 when it is grey, else 3.
ByteImage decode_image(std::span<const std::byte> file, const std::string& name);
ByteImage read_image(const std::string& path, int channels);

}  // namespace chiasm
