// SPDX-License-Identifier: Apache-2.0
// CrossEntropy: loss_n = log(sum_c e^logits_nc) - logits_n,label_n, the negative log-probability of the label, one
// number per sample. Taken from logits, so that a confident model does not lose digits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct CrossEntropy {
  static constexpr std::string_view kName = "cross_entropy";
  static constexpr std::uint32_t kBatchInputs = 0b11;

  bool operator==(const CrossEntropy&) const = default;

  // Inputs: floating logits [N, C], int32 labels [N] in [0, C). Output: [N], of the logits' element type.
  // On the CPU forward() throws InputError naming the sample, its label and C when a label is out of range. CUDA cannot
  // throw: there the sample's loss and its gradient are NaN, which a check for finite values finds.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int input) const { return input == 0 ? GradientRule::kernel({0, 1}) : GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const;
};

}  // namespace chiasm
