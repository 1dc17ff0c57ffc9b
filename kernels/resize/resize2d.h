// SPDX-License-Identifier: Apache-2.0
// Resize2d: images resized by bilinear interpolation, without antialiasing.
//
// Row i of the output is read at row s of x, between rows floor(s) and floor(s) + 1; columns likewise.
//   kAlignCorners: s = i (in - 1) / (out - 1), and 0 when out = 1. Corners map to corners. What ConvRNNs use to match
//   feedback
//                  in space (spec/convrnn.md 1.3).
//   kHalfPixel:    s = (i + 1/2) in / out - 1/2, limited to [0, in - 1]. PyTorch's align_corners=False.
// Equal sizes are a copy under both.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

enum class ResizeConvention : std::uint8_t { kAlignCorners, kHalfPixel };

struct Resize2d {
  static constexpr std::string_view kName = "resize2d";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  std::int64_t out_h = 1;
  std::int64_t out_w = 1;
  ResizeConvention convention = ResizeConvention::kAlignCorners;
  bool operator==(const Resize2d&) const = default;

  // Input: floating x [N, H, W, C], H and W at least 1. Output: [N, out_h, out_w, C].
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
