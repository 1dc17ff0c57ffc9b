// SPDX-License-Identifier: Apache-2.0
// AveragePool2d: the mean over windows of an image, channel by channel.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/convolution/window.h"
#include "kernels/op.h"

namespace chiasm {

struct AveragePool2d {
  static constexpr std::string_view kName = "average_pool2d";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  Size2d window{2, 2};
  Size2d stride{2, 2};
  Padding2d padding = Padding2d::same();
  // Whether padding counts as zeros (PyTorch's default) or a window is divided by the pixels it covers (TensorFlow).
  // What sticks out beyond explicit padding in ceil mode never counts.
  bool count_include_pad = false;
  bool operator==(const AveragePool2d&) const = default;

  // Input: floating [N, H, W, C]. Output: [N, H', W', C], H' and W' by window.h. Explicit padding must be smaller than
  // the window.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
