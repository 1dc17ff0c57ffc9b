// SPDX-License-Identifier: Apache-2.0
#include "engine/data/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace chiasm {
namespace {

// For each output position, the run of input positions it is made of and their weights, which sum to one.
struct Taps {
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> begin;  // of its weights; one more entry than outputs
  std::vector<double> weight;
};

Taps triangle_taps(std::int64_t in, std::int64_t out) {
  const double step = static_cast<double>(in) / static_cast<double>(out);
  const double reach = std::max(1.0, step);
  Taps taps;
  for (std::int64_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * step;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - reach)));
    const auto last = std::min<std::int64_t>(in - 1, static_cast<std::int64_t>(std::ceil(centre + reach)));
    taps.first.push_back(first);
    taps.begin.push_back(std::ssize(taps.weight));
    double sum = 0;
    for (std::int64_t k = first; k <= last; ++k) {
      const double weight = std::max(0.0, 1.0 - std::abs(static_cast<double>(k) + 0.5 - centre) / reach);
      taps.weight.push_back(weight);
      sum += weight;
    }
    // Near the border part of the triangle lies outside: what is inside is scaled up to one.
    for (std::int64_t k = taps.begin.back(); k < std::ssize(taps.weight); ++k) {
      taps.weight[static_cast<std::size_t>(k)] /= sum;
    }
  }
  taps.begin.push_back(std::ssize(taps.weight));
  return taps;
}

// out[row, i, channel] = sum over taps of in[row, first + tap, channel], rows `in_stride` values apart.
void resize_rows(const float* in, std::int64_t in_stride, std::int64_t rows, std::int64_t channels, const Taps& taps,
                 float* out) {
  const std::int64_t outputs = std::ssize(taps.first);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < outputs; ++i) {
      const auto at = static_cast<std::size_t>(i);
      for (std::int64_t channel = 0; channel < channels; ++channel) {
        const float* source = in + row * in_stride + taps.first[at] * channels + channel;
        double sum = 0;
        for (std::int64_t k = taps.begin[at]; k < taps.begin[at + 1]; ++k) {
          sum += taps.weight[static_cast<std::size_t>(k)] * static_cast<double>(*source);
          source += channels;
        }
        *out++ = static_cast<float>(sum);
      }
    }
  }
}

}  // namespace

void resize_bilinear(std::span<const float> image, std::int64_t image_width, std::int64_t channels, const Box& box,
                     std::int64_t height, std::int64_t width, std::span<float> out) {
  // Columns first: [box.height, box.width, C] -> [box.height, width, C]. Then rows, where width and channels are one
  // axis of "channels": [1, box.height, width * C] -> [1, height, width * C].
  std::vector<float> narrow(static_cast<std::size_t>(box.height * width * channels));
  resize_rows(image.data() + (box.top * image_width + box.left) * channels, image_width * channels, box.height,
              channels, triangle_taps(box.width, width), narrow.data());
  resize_rows(narrow.data(), 0, 1, width * channels, triangle_taps(box.height, height), out.data());
}

Box centred_box(std::int64_t height, std::int64_t width, std::int64_t out_height, std::int64_t out_width) {
  Box box{.height = height, .width = width};
  if (width * out_height > height * out_width) {
    box.width = std::max<std::int64_t>(1, height * out_width / out_height);
  } else {
    box.height = std::max<std::int64_t>(1, width * out_height / out_width);
  }
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

}  // namespace chiasm
