// SPDX-License-Identifier: Apache-2.0
// Conv2d: cross-correlation of images with a kernel (what deep learning calls convolution), with a backward weight of
// its own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/convolution/window.h"
#include "kernels/op.h"

namespace chiasm {

// Inputs: x [N, H, W, Cin], weight [kh, kw, Cin/groups, Cout], weight_backward of the same shape.
// Output: y [N, H', W', Cout], where y[n, i, j, o] sums x[n, i*stride.h - top + a*dilation.h, ..., c] * weight[a, b, c,
// o] over the taps inside the image and the input channels c of the group of o. H' and W' are those of resolve_window.
//   dx reads weight_backward in place of weight; dweight comes from x and dy; nothing flows to weight_backward.
// Backpropagation is the case where both weights are the same values.
// Depthwise is groups = Cin with a weight [kh, kw, 1, Cin]: the same memory as kh x kw x Cin x 1.
// With `groups`, Cin and Cout must be multiples of it.
struct Conv2d {
  static constexpr std::string_view kName = "conv2d";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  Size2d stride{};
  Padding2d padding = Padding2d::same();
  std::int64_t groups = 1;
  Size2d dilation{};
  bool operator==(const Conv2d&) const = default;

  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int input) const;
  std::int64_t flops(std::span<const Spec> in) const;
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CpuStream& stream, int input, std::span<const Spec> in) const;
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
