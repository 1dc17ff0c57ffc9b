// SPDX-License-Identifier: Apache-2.0
#include "tools/report/png_bytes.h"

#include <fmt/format.h>
#include <png.h>

#include "kernels/error.h"

namespace chiasm {

std::vector<std::uint8_t> png_bytes(int width, int height, int channels, std::span<const std::uint8_t> pixels) {
  const bool shaped = width > 0 && height > 0 && (channels == 1 || channels == 3);
  const auto expected = static_cast<std::int64_t>(width) * height * channels;
  if (!shaped || expected != static_cast<std::int64_t>(pixels.size())) {
    throw InputError(fmt::format("an image of {} x {} x {} channels does not have {} pixel values", width, height,
                                 channels, pixels.size()));
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr) == 0) {
    throw InternalError(fmt::format("libpng: {}", image.message));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace chiasm
