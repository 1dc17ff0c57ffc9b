// SPDX-License-Identifier: Apache-2.0
// Cast: changes the element type. Floating to integer drops the fraction; what the target cannot hold becomes its
// nearest end, and NaN becomes 0. Floating to floating rounds to nearest.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Cast {
  static constexpr std::string_view kName = "cast";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  DType to = DType::kFloat32;
  bool operator==(const Cast&) const = default;

  // Input: x of any element type.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // dy cast back. Nothing flows through an integer.
  GradientRule gradient(int) const { return is_floating(to) ? GradientRule::kernel({}) : GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  // On CUDA any element type, float64 included, becomes any other.
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
