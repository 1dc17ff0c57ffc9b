// SPDX-License-Identifier: Apache-2.0
// SquaredError: loss_n = sum over all axes but the first of (a - b)^2, one number per sample, like CrossEntropy.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct SquaredError {
  static constexpr std::string_view kName = "squared_error";
  static constexpr std::uint32_t kBatchInputs = 0b11;

  bool operator==(const SquaredError&) const = default;

  // Inputs: a and b, floating, of one element type and shape [N, ...]. Output: [N].
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({0, 1}); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
};

}  // namespace chiasm
