// SPDX-License-Identifier: Apache-2.0
// BatchNormInference: y = gain (x - mean) / sqrt(variance + epsilon) + offset with a given mean and variance, usually
// the running averages of BatchNorm's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct BatchNormInference {
  static constexpr std::string_view kName = "batch_norm_inference";

  double epsilon = 1e-5;
  bool operator==(const BatchNormInference&) const = default;

  // Inputs: floating x [..., C]; gain, offset, mean and variance [C]. Output: y like x. No gradient flows to the mean
  // and variance, which are measured and not learned.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int input) const {
    if (input == 0) return GradientRule::kernel({1, 4});
    if (input == 1) return GradientRule::kernel({0, 3, 4});
    return input == 2 ? GradientRule::pass_through() : GradientRule::none();
  }
  BatchRule batch_rule(std::span<const Spec> in) const {
    if (in[0].shape.rank() < 2) return BatchRule::none();
    return BatchRule::each({true, false, false, false, false});
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
