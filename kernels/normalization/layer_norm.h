// SPDX-License-Identifier: Apache-2.0
// LayerNorm: y = gain (x - mean) / sqrt(variance + epsilon) + offset, with one mean and one biased variance per sample,
// over its height, width and channels jointly; gain and offset are per channel (TensorFlow's contrib layer_norm).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct LayerNorm {
  static constexpr std::string_view kName = "layer_norm";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  double epsilon = 1e-12;
  bool operator==(const LayerNorm&) const = default;

  // Inputs: floating x [N, ..., C] with at least one element per sample, gain [C], offset [C]. Outputs: y like x; mean
  // [N] and biased variance [N].
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
