// SPDX-License-Identifier: Apache-2.0
// AdaptiveAveragePool2d: the mean over a grid of boxes that cover the image whatever its size, [N, H, W, C] ->
// [N, height, width, C]. Box i of n along an axis of size s is pixels floor(i s / n) up to ceil((i + 1) s / n), as in
// PyTorch: boxes share a pixel where the size does not divide.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct AdaptiveAveragePool2d {
  static constexpr std::string_view kName = "adaptive_average_pool2d";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  std::int64_t height = 1;
  std::int64_t width = 1;
  bool operator==(const AdaptiveAveragePool2d&) const = default;

  // Input: floating [N, H, W, C] with at least one pixel.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  std::int64_t flops(std::span<const Spec> in) const { return in[0].shape.elements(); }
};

}  // namespace chiasm
