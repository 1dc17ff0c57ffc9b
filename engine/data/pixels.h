// SPDX-License-Identifier: Apache-2.0
// Pixels: one image on its way from a file to a network, of any size, as bytes or as numbers. What a byte b stands for
// is b / 255. Training, evaluation and extraction read images as these.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/io/image.h"

namespace chiasm {

struct Pixels {
  std::int64_t height = 0, width = 0, channels = 0;
  // [height, width, channels]; one of the two, the other is empty.
  std::vector<std::uint8_t> bytes = {};
  std::vector<float> values = {};

  bool is_bytes() const { return values.empty(); }
  std::int64_t count() const { return height * width * channels; }
};

Pixels pixels_of(ByteImage image);

// Bytes become numbers, b / 255.
void as_numbers(Pixels& image);

// Repeats a grey image over the channels, and makes a grey one of three channels: the luma of ITU-R BT.601, of bytes
// rounded to a byte as luma() of io/image.h, of numbers 0.299 R + 0.587 G + 0.114 B. A colour that is a grey stays
// exactly that. Throws FileError(name) for other numbers of channels.
void set_channels(Pixels& image, std::int64_t channels, const std::string& name);

// out[i] = bytes[i] / 255, or values[i]. REQUIRES: room for count() values.
void copy_values(const Pixels& image, std::span<float> out);

// out[i] = bytes[i] / 255. REQUIRES: equal sizes.
void scale_bytes(std::span<const std::uint8_t> bytes, std::span<float> out);

}  // namespace chiasm
