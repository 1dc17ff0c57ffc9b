// SPDX-License-Identifier: Apache-2.0
#include "engine/data/transforms/colour.h"

#include <algorithm>
#include <cmath>

namespace chiasm {
namespace {

float limited(double value) { return static_cast<float>(std::clamp(value, 0.0, 1.0)); }

double luma(const float* pixel, std::int64_t channels) {
  return channels == 1 ? pixel[0] : 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

// factor x + (1 - factor) other
float blend(float x, double other, double factor) { return limited(factor * x + (1.0 - factor) * other); }

// One pixel with its hue turned (Smith 1978).
void turn_hue(float* pixel, double turns) {
  const double r = pixel[0], g = pixel[1], b = pixel[2];
  const double most = std::max({r, g, b}), chroma = most - std::min({r, g, b});
  if (chroma <= 0.0) return;
  double sixth = most == r ? (g - b) / chroma : most == g ? 2.0 + (b - r) / chroma : 4.0 + (r - g) / chroma;
  sixth = std::fmod(sixth + 6.0 * turns + 12.0, 6.0);
  // The channel whose own sixth is `offset` away: value less chroma times how far it lies from the hue.
  const auto channel = [&](double offset) {
    const double k = std::fmod(offset + sixth, 6.0);
    return limited(most - chroma * std::max(0.0, std::min({k, 4.0 - k, 1.0})));
  };
  pixel[0] = channel(5.0);
  pixel[1] = channel(3.0);
  pixel[2] = channel(1.0);
}

}  // namespace

void make_grey(Pixels& image) {
  if (image.channels != 3) return;
  for (std::size_t i = 0; i < image.values.size(); i += 3) {
    const float grey = limited(luma(&image.values[i], 3));
    std::fill_n(image.values.begin() + static_cast<std::ptrdiff_t>(i), 3, grey);
  }
}

void change_brightness(Pixels& image, double factor) {
  for (float& value : image.values) value = limited(factor * value);
}

void change_contrast(Pixels& image, double factor) {
  double sum = 0.0;
  const auto step = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < image.values.size(); i += step) sum += luma(&image.values[i], image.channels);
  const double mean = sum / static_cast<double>(image.height * image.width);
  for (float& value : image.values) value = blend(value, mean, factor);
}

void change_saturation(Pixels& image, double factor) {
  for (std::size_t i = 0; i < image.values.size(); i += 3) {
    const double grey = luma(&image.values[i], 3);
    for (std::size_t c = 0; c < 3; ++c) image.values[i + c] = blend(image.values[i + c], grey, factor);
  }
}

void change_hue(Pixels& image, double turns) {
  for (std::size_t i = 0; i < image.values.size(); i += 3) turn_hue(&image.values[i], turns);
}

}  // namespace chiasm
