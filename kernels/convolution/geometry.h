// SPDX-License-Identifier: Apache-2.0
// One convolution problem, as every way of computing it (reference, depthwise, matrix product, oneDNN) sees it.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/convolution/window.h"
#include "kernels/view.h"

namespace chiasm {

// x is [batch, window.in.h, window.in.w, in_channels], w is [kh, kw, in_channels / groups, out_channels] and
// y is [batch, window.out.h, window.out.w, out_channels]. Output channels of group g read input channels of group g.
struct ConvGeometry {
  std::int64_t batch = 0;
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t groups = 1;
  Window2d window;

  std::int64_t group_in() const { return in_channels / groups; }
  std::int64_t group_out() const { return out_channels / groups; }
  std::int64_t taps() const { return window.kernel.h * window.kernel.w; }
  std::int64_t out_pixels() const { return window.out.h * window.out.w; }
  std::int64_t x_elements() const { return batch * window.in.h * window.in.w * in_channels; }
  std::int64_t y_elements() const { return batch * out_pixels() * out_channels; }
  std::int64_t w_elements() const { return taps() * group_in() * out_channels; }
  // Of each pass: two for each product of a tap, padding included.
  std::int64_t flops() const { return 2 * batch * out_pixels() * taps() * group_in() * out_channels; }
  bool depthwise() const { return groups == in_channels && groups == out_channels; }

  bool operator==(const ConvGeometry&) const = default;
};

// The three products of a convolution. Operands a, b and the result are
enum class ConvPass : std::uint8_t {
  kForward,         // x, w -> y
  kInputGradient,   // dy, w -> dx
  kWeightGradient,  // x, dy -> dw
};

// The inputs of one output or the outputs of one input along an axis: i * stride - pad + a * dilation is row.
// The i for which tap a of window i is `row`, or -1.
inline std::int64_t window_of(std::int64_t row, std::int64_t a, std::int64_t pad, std::int64_t stride,
                              std::int64_t dilation, std::int64_t out) {
  const std::int64_t start = row + pad - a * dilation;
  if (start < 0 || start % stride != 0 || start / stride >= out) return -1;
  return start / stride;
}

}  // namespace chiasm
