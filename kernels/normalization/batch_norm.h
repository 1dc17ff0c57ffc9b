// SPDX-License-Identifier: Apache-2.0
// BatchNorm: y = gain (x - mean) / sqrt(variance + epsilon) + offset, with the mean and biased variance of each channel
// over the batch and all positions (Ioffe and Szegedy 2015). This is the training form; batch_norm_inference.h is the
// other.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct BatchNorm {
  static constexpr std::string_view kName = "batch_norm";

  double epsilon = 1e-5;
  bool operator==(const BatchNorm&) const = default;

  // Inputs: floating x [..., C] with at least one element per channel, gain [C], offset [C]. Outputs: y like x; the
  // batch's mean [C] and biased variance [C], for running averages.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int input) const {
    if (input == 0) return GradientRule::kernel({0, 1}, {1, 2});
    return input == 1 ? GradientRule::kernel({0}, {1, 2}) : GradientRule::pass_through();
  }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CpuStream& stream, int input, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const;
};

}  // namespace chiasm
