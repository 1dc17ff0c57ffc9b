// SPDX-License-Identifier: Apache-2.0
// Linear: y = x W, with a backward weight of its own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

// Inputs: x [..., in] with any leading axes (at least one), weight [in, out], weight_backward [in, out].
// Output: [..., out].
//   y = x weight            dx = dy weight_backward^T            dweight = x^T dy
// Backpropagation is the case where both weights are the same values. weight_backward takes part in dx only, and
// nothing flows to it: what changes it is a learning rule.
struct Linear {
  static constexpr std::string_view kName = "linear";
  static constexpr std::uint32_t kBatchInputs = 0b1;
  bool operator==(const Linear&) const = default;

  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int input) const;
  std::int64_t flops(std::span<const Spec> in) const { return 2 * in[0].shape.elements() * in[1].shape[1]; }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
