// SPDX-License-Identifier: Apache-2.0
// A convolution as models use it: dense or depth-separable, with bias, initialiser and L2 terms.
#pragma once

#include <cstdint>

#include "engine/scope.h"
#include "kernels/convolution/window.h"

namespace chiasm {

// How a weight or bias starts, before its shape is known (spec/convrnn.md 9.2).
struct InitSpec {
  enum class Kind { kGlorotUniform, kVarianceScaling, kNormal, kTruncatedNormal, kConstant };
  Kind kind = Kind::kVarianceScaling;
  double value = 1.0;  // scale, standard deviation or constant; unused by kGlorotUniform

  static InitSpec constant(double value) { return {Kind::kConstant, value}; }
  Initialiser for_fans(Fans fans) const;
};

struct ConvSpec {
  std::int64_t channels = 0;  // of the output; > 0
  std::int64_t kernel = 3;    // per axis; clamped to the size of the input where `separable`
  std::int64_t stride = 1;
  std::int64_t groups = 1;  // of channels; not with `separable`
  std::int64_t dilation = 1;
  bool separable = false;  // depthwise kernel x kernel without bias, then 1x1, then one bias
  bool bias = true;
  Padding2d padding = Padding2d::same();
  InitSpec init = {};
  InitSpec bias_init = InitSpec::constant(0.0);  // fans are those of the dense or pointwise kernel
  double l2 = 0.0;                               // of kernels
  double l2_bias = 0.0;                          // of the bias
};

// x [N, H, W, C] -> [N, H', W', channels]. Parameters in `scope`: weight, or depthwise and pointwise; bias.
Value convolve(const Scope& scope, Value x, const ConvSpec& spec);

// The shortcut Res(r) of spec/convrnn.md 2.8: r resized to the image size of `to` [N, H, W, C] and, where its channels
// are others, projected by a 1x1 convolution without bias and without L2 term. Parameters in `scope`: weight.
Value shortcut(const Scope& scope, Value r, const Shape& to);

// x [N, H, W, C] resized to height x width, bilinear with aligned corners; x itself when it has that size.
Value match_size(Value x, std::int64_t height, std::int64_t width);

}  // namespace chiasm
