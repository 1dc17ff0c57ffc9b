// SPDX-License-Identifier: Apache-2.0
#include "engine/data/pixels.h"

#include <algorithm>
#include <cassert>

#include "kernels/error.h"

namespace chiasm {
namespace {

std::uint8_t luma_of(const std::uint8_t* rgb) { return luma(rgb); }
float luma_of(const float* rgb) {
  return rgb[0] == rgb[1] && rgb[1] == rgb[2] ? rgb[0] : 0.299F * rgb[0] + 0.587F * rgb[1] + 0.114F * rgb[2];
}

template <class T>
void to_luma(std::vector<T>& pixels) {
  const std::size_t count = pixels.size() / 3;
  for (std::size_t i = 0; i < count; ++i) pixels[i] = luma_of(pixels.data() + 3 * i);
  pixels.resize(count);
}

template <class T>
void repeat(std::vector<T>& grey, std::int64_t channels) {
  std::vector<T> pixels;
  pixels.reserve(grey.size() * static_cast<std::size_t>(channels));
  for (const T value : grey) pixels.insert(pixels.end(), static_cast<std::size_t>(channels), value);
  grey = std::move(pixels);
}

}  // namespace

Pixels pixels_of(ByteImage image) {
  return {.height = image.height, .width = image.width, .channels = image.channels, .bytes = std::move(image.pixels)};
}

void set_channels(Pixels& image, std::int64_t channels, const std::string& name) {
  if (image.channels == channels) return;
  if (image.channels == 3 && channels == 1) {
    image.is_bytes() ? to_luma(image.bytes) : to_luma(image.values);
  } else if (image.channels == 1) {
    image.is_bytes() ? repeat(image.bytes, channels) : repeat(image.values, channels);
  } else {
    throw FileError(
        name, "", "has " + std::to_string(image.channels) + " channels, the network takes " + std::to_string(channels));
  }
  image.channels = channels;
}

void copy_values(const Pixels& image, std::span<float> out) {
  assert(std::ssize(out) == image.count());
  if (image.is_bytes()) {
    scale_bytes(image.bytes, out);
  } else {
    std::ranges::copy(image.values, out.begin());
  }
}

void scale_bytes(std::span<const std::uint8_t> bytes, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(bytes[i]) / 255.0F;
}

void as_numbers(Pixels& image) {
  if (!image.is_bytes()) return;
  image.values.resize(image.bytes.size());
  scale_bytes(image.bytes, image.values);
  image.bytes.clear();
}

}  // namespace chiasm
