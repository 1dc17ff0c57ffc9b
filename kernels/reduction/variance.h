// SPDX-License-Identifier: Apache-2.0
// Variance: the mean squared distance from the mean, over some axes. Computed about the mean in two passes, so that a
// large mean takes no digits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"
#include "kernels/reduction/axes.h"

namespace chiasm {

struct Variance {
  static constexpr std::string_view kName = "variance";

  std::vector<int> axes = {};  // none: all of them; negative ones count from the end
  bool keep_axes = false;      // reduced axes stay with size 1, instead of being left out
  bool unbiased = false;       // divide the n squares by n - 1 instead of n
  bool operator==(const Variance&) const = default;

  // Input: one floating tensor. Throws ShapeError when n is 0, or 1 and unbiased. The variance of one element is 0.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({0}); }
  BatchRule batch_rule(std::span<const Spec> in) const { return batch_rule_of_axes(axes, in[0].shape); }
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
