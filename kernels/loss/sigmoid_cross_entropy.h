// SPDX-License-Identifier: Apache-2.0
// SigmoidCrossEntropy: every class is a logistic unit of its own, and the target is 1 for the label and 0 for the
// others:
//   loss_n = sum_c log(1 + e^logits_nc) - logits_n,label_n
// the negative log-probability of all C targets, one number per sample. Taken from logits, and the term of the label as
// log(1 + e^-logits_n,label_n), so that a confident model does not lose digits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct SigmoidCrossEntropy {
  static constexpr std::string_view kName = "sigmoid_cross_entropy";
  static constexpr std::uint32_t kBatchInputs = 0b11;

  bool operator==(const SigmoidCrossEntropy&) const = default;

  // Inputs: floating logits [N, C], int32 labels [N] in [0, C). Output: [N], of the logits' element type.
  // On the CPU forward() throws InputError naming the sample, its label and C when a label is out of range. CUDA cannot
  // throw: there the sample's loss and its gradient are NaN, which a check for finite values finds.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // dlogits_nc = dy_n (sigmoid(logits_nc) - 1 for the label, sigmoid(logits_nc) for the others).
  GradientRule gradient(int input) const { return input == 0 ? GradientRule::kernel({0, 1}) : GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
};

}  // namespace chiasm
