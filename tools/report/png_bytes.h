// SPDX-License-Identifier: Apache-2.0
// A PNG file in memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace chiasm {

// pixels: rows from the top, channels interleaved, 1 (grey) or 3 (red, green, blue). Throws InputError when their
// number is not width * height * channels or one of these is not positive.
std::vector<std::uint8_t> png_bytes(int width, int height, int channels, std::span<const std::uint8_t> pixels);

}  // namespace chiasm
