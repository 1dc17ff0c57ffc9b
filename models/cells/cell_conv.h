// SPDX-License-Identifier: Apache-2.0
// The convolutions of cells whose state is C channels at the size of their input (spec/convrnn.md 2.2 to 2.6): stride
// 1, SAME padding, L2 terms on kernels and biases. On vectors [N, features] they are linear maps.
#pragma once

#include <array>
#include <initializer_list>

#include "engine/ops.h"
#include "kernels/indexing/slice.h"
#include "models/convolution.h"

namespace chiasm {

class ConfigNode;

// The shape [N, H, W, channels] or [N, channels] of a state at the size of x; 0 channels: as many as x. Throws
// ShapeError unless x is an image [N, H, W, C] or a vector [N, C].
Shape state_like(const Shape& x, std::int64_t channels = 0);

// The same where the cell is of images alone.
Shape image_state_like(const Shape& x, std::int64_t channels = 0);

struct CellConv {
  std::int64_t channels = 0;  // C; 0: as many as the input
  std::int64_t kernel = 3;    // of images
  InitSpec init = {.kind = InitSpec::Kind::kGlorotUniform};
  double bias_init = 0.0;
  double l2 = 1e-4;       // of kernels
  double l2_bias = 1e-4;  // of biases

  Shape state_shape(const Shape& x) const { return state_like(x, channels); }

  // The inputs side by side, convolved to `outputs` channels; parameters `name`/weight and `name`/bias.
  Value apply(const Scope& scope, const char* name, std::initializer_list<Value> inputs, std::int64_t outputs) const;
};

// Reads "channels", "kernel", "kernel_init", "bias_init", "l2" and "l2_bias" (absent: equal to "l2").
CellConv read_cell_conv(const ConfigNode& config, CellConv absent = {});

// x in `kParts` equal parts along its channels.
template <std::size_t kParts>
std::array<Value, kParts> split(Value x) {
  const std::int64_t size = x.shape().at(-1) / static_cast<std::int64_t>(kParts);
  std::array<Value, kParts> parts;
  std::int64_t start = 0;
  for (Value& part : parts) {
    part = x.graph().apply(Slice{.axis = -1, .start = start, .size = size}, {x});
    start += size;
  }
  return parts;
}

}  // namespace chiasm
