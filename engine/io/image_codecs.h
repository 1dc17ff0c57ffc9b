// SPDX-License-Identifier: Apache-2.0
// The two decoders behind image.h.
#pragma once

#include "engine/io/image.h"

namespace chiasm {

// 1 channel when the file is grey, else 3.
ByteImage decode_png(std::span<const std::byte> file, const std::string& name);
ByteImage decode_jpeg(std::span<const std::byte> file, const std::string& name);

// Throws FileError when an image of this size is empty, over kMostPixels, or more than `file_bytes` bytes can hold at
// `most_pixels_per_byte`: checked before memory is taken for it.
void check_image_size(std::int64_t height, std::int64_t width, std::int64_t file_bytes,
                      std::int64_t most_pixels_per_byte, const std::string& name);

}  // namespace chiasm
