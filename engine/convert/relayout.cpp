// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/relayout.h"

#include <algorithm>
#include <vector>

#include "kernels/error.h"

namespace chiasm {
namespace {

struct Axis {
  std::int64_t size;
  std::int64_t stride;
};

// A tensor read in another order of axes.
struct Reading {
  std::vector<Axis> axes;
  std::int64_t begin = 0;
  int input_channels = -1;  // the axis of Cin; -1: there is none

  Shape shape() const {
    std::vector<std::int64_t> sizes;
    for (const Axis& axis : axes) sizes.push_back(axis.size);
    return Shape(sizes);
  }
};

Reading in_order(const Shape& shape) {
  Reading reading;
  const Strides strides = shape.row_major();
  for (int a = 0; a < shape.rank(); ++a) reading.axes.push_back({shape[a], strides[static_cast<std::size_t>(a)]});
  return reading;
}

Reading reordered(const Shape& shape, std::initializer_list<int> order) {
  const Reading plain = in_order(shape);
  Reading reading;
  for (const int axis : order) reading.axes.push_back(plain.axes[static_cast<std::size_t>(axis)]);
  return reading;
}

Reading read(const Shape& from, const Relayout& relayout) {
  if (relayout.flattened) {
    const Shape& image = *relayout.flattened;  // C, H, W
    if (from.rank() != 2 || from[1] != image.elements()) {
      throw InputError("found " + to_string(from) + ", allowed: [outputs, " + std::to_string(image.elements()) +
                       "], as \"flatten\" is " + to_string(image));
    }
    Reading reading = reordered({from[0], image[0], image[1], image[2]}, {2, 3, 1, 0});
    reading.input_channels = 2;
    return reading;
  }
  const bool torch = relayout.source == Relayout::Source::kTorch;
  if (from.rank() == 2) return torch ? reordered(from, {1, 0}) : in_order(from);
  if (from.rank() != 4) return in_order(from);
  Reading reading = torch ? reordered(from, {2, 3, 1, 0}) : in_order(from);
  reading.input_channels = 2;
  return reading;
}

// Whether two shapes differ in nothing but how the axes in front of the last are joined.
bool same_order(const Shape& a, const Shape& b) {
  if (a == b) return true;
  const auto is_weight = [](const Shape& s) { return s.rank() == 2 || s.rank() == 4; };
  return a.rank() != b.rank() && is_weight(a) && is_weight(b) && a.at(-1) == b.at(-1) && a.elements() == b.elements();
}

// [kh, kw, C, 1], one kernel for each channel, where chiasm has [kh, kw, 1, C].
bool is_depthwise(const Shape& from, const Shape& to) {
  return from.rank() == 4 && from[3] == 1 && to == Shape{from[0], from[1], 1, from[2]};
}

template <class From, class To>
void gather(const Tensor& from, const Reading& reading, Tensor& to) {
  Strides strides{};
  for (std::size_t a = 0; a < reading.axes.size(); ++a) strides[a] = reading.axes[a].stride;
  const From* values = from.values<From>().data() + reading.begin;
  To* next = to.values<To>().data();
  for_each_offset(
      reading.shape(), [&](std::int64_t at) { *next++ = static_cast<To>(values[at]); }, strides);
}

}  // namespace

Tensor Relayout::apply(const Tensor& from, const Spec& to) const {
  if (!is_floating(from.dtype())) throw InputError("found " + to_string(from.spec()) + ", wanted: floating values");
  Reading reading = read(from.shape(), *this);
  const Shape shape = reading.shape();
  const bool depthwise = source == Source::kTensorflow && is_depthwise(shape, to.shape);
  // The columns of a matrix are C, H, W in one program and H, W, C in the other: without "flatten", only a 1x1 kernel
  // can be meant.
  const bool guessed = from.shape().rank() == 2 && !flattened && to.shape.rank() == 4 && to.shape[0] * to.shape[1] != 1;
  if (!depthwise && (guessed || !same_order(shape, to.shape))) {
    throw InputError("found " + to_string(from.shape()) +
                     (shape == from.shape() ? "" : ", which becomes " + to_string(shape)) +
                     ", wanted: " + to_string(to.shape));
  }
  if (reverse_input_channels) {
    if (reading.input_channels < 0) {
      throw InputError("found " + to_string(from.shape()) +
                       "; \"reverse_input_channels\" needs a kernel, or a matrix with \"flatten\"");
    }
    Axis& channels = reading.axes[static_cast<std::size_t>(reading.input_channels)];
    reading.begin = (channels.size - 1) * channels.stride;
    channels.stride = -channels.stride;
  }
  Tensor result(to);
  if (result.elements() == 0) return result;
  visit_floating(from.dtype(), [&]<class From>() {
    visit_floating(to.dtype, [&]<class To>() { gather<From, To>(from, reading, result); });
  });
  return result;
}

}  // namespace chiasm
