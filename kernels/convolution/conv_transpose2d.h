// SPDX-License-Identifier: Apache-2.0
// ConvTranspose2d: the transpose of a Conv2d, which spreads each pixel over a window, with a backward weight of its
// own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/convolution/window.h"
#include "kernels/op.h"

namespace chiasm {

// Inputs: x [N, H, W, Cin], weight [kh, kw, Cout/groups, Cin], weight_backward of the same shape. Output: y [N, H', W',
// Cout]. With C the Conv2d of these parameters that takes images H' x W' of Cout channels to H x W of Cin channels:
//   y is the input gradient of C at dy = x and weight;   dx = C(dy) with weight_backward;
//   dweight is the weight gradient of C at x = dy and dy = x;   nothing flows to weight_backward.
// So a Conv2d and the ConvTranspose2d that undoes its shape use one kernel layout.
struct ConvTranspose2d {
  static constexpr std::string_view kName = "conv_transpose2d";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  Size2d stride{};
  Padding2d padding = Padding2d::same();  // that of C
  std::int64_t groups = 1;
  Size2d dilation{};
  // H' x W'. 0x0: H * stride.h x W * stride.w with "same" padding, else the smallest that C takes to H x W. Several
  // sizes give the same H x W when the stride is above 1.
  Size2d output_size{0, 0};
  bool operator==(const ConvTranspose2d&) const = default;

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
