// SPDX-License-Identifier: Apache-2.0
#include "engine/data/resize.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <span>
#include <utility>

#include "kernels/error.h"

namespace chiasm {
namespace {

struct Named {
  const char* name;
  Interpolation value;
};
constexpr std::array kNamed{Named{"bilinear", Interpolation::kBilinear},
                            Named{"bicubic", Interpolation::kBicubic},
                            Named{"pillow_bilinear", Interpolation::kPillowBilinear},
                            Named{"pillow_bicubic", Interpolation::kPillowBicubic},
                            Named{"tensorflow_bilinear", Interpolation::kTensorflowBilinear},
                            Named{"tensorflow_bicubic", Interpolation::kTensorflowBicubic}};

// For each output position, the run of input positions it is made of and their weights, which sum to one.
struct Taps {
  std::vector<std::int64_t> first;
  std::vector<std::size_t> begin;  // of its weights; one more entry than outputs
  std::vector<double> weight;

  void start(std::int64_t at) {
    first.push_back(at);
    begin.push_back(weight.size());
  }
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

// Keys 1981.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

// Output positions [begin, begin + count) of `out`, for `in` inputs.
struct Axis {
  std::int64_t in, out, begin, count;
};

template <class Kernel>
Taps widened_taps(const Axis& axis, double support, const Kernel& kernel) {
  const double step = static_cast<double>(axis.in) / static_cast<double>(axis.out);
  const double widening = std::max(1.0, step);
  const double reach = support * widening, inverse = 1.0 / widening;
  Taps taps;
  for (std::int64_t i = axis.begin; i < axis.begin + axis.count; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * step;
    // From the first to the last pixel whose centre is nearer than the reach, or half a pixel beyond it.
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(centre - reach + 0.5));
    const auto end = std::min<std::int64_t>(axis.in, static_cast<std::int64_t>(centre + reach + 0.5));
    taps.start(first);
    double sum = 0;
    for (std::int64_t k = first; k < end; ++k) {
      const double weight = kernel((static_cast<double>(k) - centre + 0.5) * inverse);
      taps.weight.push_back(weight);
      sum += weight;
    }
    for (std::size_t k = taps.begin.back(); k < taps.weight.size(); ++k) taps.weight[k] *= 1.0 / sum;
  }
  taps.begin.push_back(taps.weight.size());
  return taps;
}

// Where pixel `i` comes from, in float32 as there: the pixel, and how far on to the next.
std::pair<std::int64_t, float> corner_source(std::int64_t i, const Axis& axis) {
  const float at = static_cast<float>(i) * (static_cast<float>(axis.in) / static_cast<float>(axis.out));
  const float pixel = std::floor(at);
  return {static_cast<std::int64_t>(pixel), at - pixel};
}

// Weights of positions that may lie outside, where the border pixel counts instead.
void add_clamped(Taps& taps, const Axis& axis, std::int64_t from, std::span<const double> weights) {
  const auto inside = [&](std::int64_t k) { return std::clamp<std::int64_t>(k, 0, axis.in - 1); };
  taps.start(inside(from));
  taps.weight.resize(taps.weight.size() + weights.size());
  double* const sums = taps.weight.data() + taps.begin.back();
  std::int64_t last = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    last = inside(from + static_cast<std::int64_t>(k)) - taps.first.back();
    sums[last] += weights[k];
  }
  taps.weight.resize(taps.begin.back() + static_cast<std::size_t>(last) + 1);
}

Taps corner_taps(const Axis& axis, bool is_cubic) {
  constexpr float kTableSteps = 1024;
  Taps taps;
  for (std::int64_t i = axis.begin; i < axis.begin + axis.count; ++i) {
    const auto [pixel, beyond] = corner_source(i, axis);
    if (is_cubic) {
      const double x = static_cast<double>(std::lrint(beyond * kTableSteps)) / static_cast<double>(kTableSteps);
      constexpr double kA = -0.75;
      add_clamped(taps, axis, pixel - 1,
                  std::array{cubic(1 + x, kA), cubic(x, kA), cubic(1 - x, kA), cubic(2 - x, kA)});
    } else {
      const auto x = static_cast<double>(beyond);
      add_clamped(taps, axis, pixel, std::array{1 - x, x});
    }
  }
  taps.begin.push_back(taps.weight.size());
  return taps;
}

Taps taps_of(const Axis& axis, Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::kBilinear:
    case Interpolation::kPillowBilinear:
      return widened_taps(axis, 1.0, triangle);
    case Interpolation::kBicubic:
    case Interpolation::kPillowBicubic:
      return widened_taps(axis, 2.0, [](double x) { return cubic(x, -0.5); });
    case Interpolation::kTensorflowBilinear:
      return corner_taps(axis, false);
    case Interpolation::kTensorflowBicubic:
      return corner_taps(axis, true);
  }
  throw InternalError("an interpolation that is none");
}

// How sums of weighted pixels are made and kept: of numbers in double, of bytes in integers.
struct Numbers {
  using Pixel = float;
  using Sum = double;
  static Sum weight(double w) { return w; }
  static constexpr Sum kStart = 0.0;
  static Pixel keep(Sum sum) { return static_cast<float>(sum); }
};

struct Bytes {
  static constexpr int kBits = 22;  // what is left of 32 beside 8 of the pixel and 2 for weights beyond one
  using Pixel = std::uint8_t;
  using Sum = std::int32_t;
  static Sum weight(double w) { return static_cast<Sum>(w * (1 << kBits) + (w < 0 ? -0.5 : 0.5)); }
  static constexpr Sum kStart = 1 << (kBits - 1);
  static Pixel keep(Sum sum) { return static_cast<Pixel>(std::clamp<Sum>(sum >> kBits, 0, 255)); }
};

template <class Kind>
std::vector<typename Kind::Sum> weights_of(const Taps& taps) {
  std::vector<typename Kind::Sum> weights(taps.weight.size());
  std::ranges::transform(taps.weight, weights.begin(), Kind::weight);
  return weights;
}

// out[row, i, channel] = sum over taps of in[row, first + tap, channel], rows `stride` values apart.
template <class Kind, int kChannels>
void resize_width(const typename Kind::Pixel* in, std::int64_t stride, std::int64_t rows, std::int64_t channels,
                  const Taps& taps, typename Kind::Pixel* out) {
  const auto weights = weights_of<Kind>(taps);
  if (kChannels != 0) channels = kChannels;  // known to the compiler
  for (std::int64_t row = 0; row < rows; ++row, in += stride) {
    for (std::size_t i = 0; i < taps.first.size(); ++i) {
      const std::size_t count = taps.begin[i + 1] - taps.begin[i];
      const auto* const w = weights.data() + taps.begin[i];
      const auto* const pixels = in + taps.first[i] * channels;
      for (std::int64_t c = 0; c < channels; ++c) {
        typename Kind::Sum sum = Kind::kStart;
        for (std::size_t k = 0; k < count; ++k) sum += w[k] * pixels[static_cast<std::int64_t>(k) * channels + c];
        *out++ = Kind::keep(sum);
      }
    }
  }
}

// out[i, at] = sum over taps of in[first + tap, at], for rows of `width` values.
template <class Kind>
void resize_height(const typename Kind::Pixel* in, std::int64_t width, const Taps& taps, typename Kind::Pixel* out) {
  const auto weights = weights_of<Kind>(taps);
  std::vector<typename Kind::Sum> sums(static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < taps.first.size(); ++i) {
    std::ranges::fill(sums, Kind::kStart);
    const auto* row = in + taps.first[i] * width;
    for (std::size_t k = taps.begin[i]; k < taps.begin[i + 1]; ++k, row += width) {
      const auto w = weights[k];
      for (std::int64_t x = 0; x < width; ++x) sums[static_cast<std::size_t>(x)] += w * row[x];
    }
    out = std::ranges::transform(sums, out, Kind::keep).out;
  }
}

template <class Pixel>
std::vector<Pixel> copy_box(const std::vector<Pixel>& from, std::int64_t from_width, std::int64_t channels,
                            const ImageBox& box) {
  if (from.empty()) return {};
  std::vector<Pixel> to(static_cast<std::size_t>(box.height * box.width * channels));
  for (std::int64_t y = 0; y < box.height; ++y) {
    std::copy_n(from.data() + ((box.top + y) * from_width + box.left) * channels, box.width * channels,
                to.data() + y * box.width * channels);
  }
  return to;
}

// Pixels are those of the box. A side that keeps its length is copied.
template <class Kind>
std::vector<typename Kind::Pixel> resize_box(const std::vector<typename Kind::Pixel>& pixels, std::int64_t channels,
                                             ImageSize box, ImageSize size, const ImageBox& window,
                                             Interpolation interpolation) {
  // The rows that are needed.
  Taps rows;
  std::int64_t begin = window.top, end = window.top + window.height;
  if (box.height != size.height) {
    rows = taps_of({box.height, size.height, window.top, window.height}, interpolation);
    begin = std::ranges::min(rows.first);
    end = begin;
    for (std::size_t i = 0; i < rows.first.size(); ++i) {
      end = std::max(end, rows.first[i] + static_cast<std::int64_t>(rows.begin[i + 1] - rows.begin[i]));
      rows.first[i] -= begin;
    }
  }
  std::vector<typename Kind::Pixel> narrow;
  if (box.width == size.width) {
    narrow = copy_box(pixels, box.width, channels, {begin, window.left, end - begin, window.width});
  } else {
    narrow.resize(static_cast<std::size_t>((end - begin) * window.width * channels));
    const Taps columns = taps_of({box.width, size.width, window.left, window.width}, interpolation);
    const auto pass = channels == 3   ? resize_width<Kind, 3>
                      : channels == 1 ? resize_width<Kind, 1>
                                      : resize_width<Kind, 0>;
    pass(pixels.data() + begin * box.width * channels, box.width * channels, end - begin, channels, columns,
         narrow.data());
  }
  if (box.height == size.height) return narrow;
  std::vector<typename Kind::Pixel> out(static_cast<std::size_t>(window.height * window.width * channels));
  resize_height<Kind>(narrow.data(), window.width * channels, rows, out.data());
  return out;
}

}  // namespace

std::vector<std::string> interpolation_names() {
  std::vector<std::string> names;
  for (const Named& named : kNamed) names.emplace_back(named.name);
  return names;
}

Interpolation interpolation_of(const std::string& name) {
  const auto* const found = std::ranges::find_if(kNamed, [&](const Named& named) { return named.name == name; });
  if (found == kNamed.end()) throw InputError("interpolation \"" + name + "\" is not known");
  return found->value;
}

std::string to_string(Interpolation interpolation) {
  return std::ranges::find(kNamed, interpolation, &Named::value)->name;
}

ImageSize size_of(const Pixels& image) { return {image.height, image.width}; }
ImageBox whole_of(const Pixels& image) { return {.height = image.height, .width = image.width}; }

Pixels resize(const Pixels& image, const ImageBox& box, ImageSize size, const ImageBox& window,
              Interpolation interpolation) {
  assert(box.top >= 0 && box.left >= 0 && box.top + box.height <= image.height && box.left + box.width <= image.width);
  assert(window.top + window.height <= size.height && window.left + window.width <= size.width);
  Pixels out{.height = window.height, .width = window.width, .channels = image.channels};
  const bool copies = box.size() == size;
  const ImageBox source =
      copies ? ImageBox{box.top + window.top, box.left + window.left, window.height, window.width} : box;
  out.bytes = copy_box(image.bytes, image.width, image.channels, source);
  out.values = copy_box(image.values, image.width, image.channels, source);
  if (copies) return out;
  const bool rounds = interpolation == Interpolation::kPillowBilinear || interpolation == Interpolation::kPillowBicubic;
  if (image.is_bytes() && rounds) {
    out.bytes = resize_box<Bytes>(out.bytes, image.channels, box.size(), size, window, interpolation);
    return out;
  }
  if (image.is_bytes()) {
    out.values.resize(out.bytes.size());
    scale_bytes(out.bytes, out.values);
    out.bytes.clear();
  }
  out.values = resize_box<Numbers>(out.values, image.channels, box.size(), size, window, interpolation);
  return out;
}

Pixels resize(const Pixels& image, const ImageBox& box, ImageSize size, Interpolation interpolation) {
  return resize(image, box, size, {.height = size.height, .width = size.width}, interpolation);
}

}  // namespace chiasm
