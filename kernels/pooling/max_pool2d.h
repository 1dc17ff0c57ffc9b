// SPDX-License-Identifier: Apache-2.0
// MaxPool2d: the maximum over windows of an image, channel by channel. Padding never wins the maximum. A NaN in a
// window makes its output NaN.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/convolution/window.h"
#include "kernels/op.h"

namespace chiasm {

struct MaxPool2d {
  static constexpr std::string_view kName = "max_pool2d";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  Size2d window{2, 2};
  Size2d stride{2, 2};
  Padding2d padding = Padding2d::same();
  bool operator==(const MaxPool2d&) const = default;

  // Input: floating [N, H, W, C]. Output: [N, H', W', C], H' and W' by window.h. Explicit padding must be smaller than
  // the window, so that no window lies in the padding alone.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // The gradient goes to the first maximum of each window, row by row (to the first NaN, when the output is NaN): x and
  // y say which it is, and no mask is kept.
  GradientRule gradient(int) const { return GradientRule::kernel({0}, {0}); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
