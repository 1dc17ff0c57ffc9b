// SPDX-License-Identifier: Apache-2.0
// Max: the maximum over some axes. A NaN among the elements makes the result NaN.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"
#include "kernels/reduction/axes.h"

namespace chiasm {

struct Max {
  static constexpr std::string_view kName = "max";

  std::vector<int> axes = {};  // none: all of them; negative ones count from the end
  bool keep_axes = false;      // reduced axes stay with size 1, instead of being left out
  bool operator==(const Max&) const = default;

  // Input: one floating tensor. Throws ShapeError when there is no element to take the maximum of.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // Of equal maxima, the first in row-major order gets the gradient, as in pooling (the first NaN, when the result is
  // NaN).
  GradientRule gradient(int) const { return GradientRule::kernel({0}, {0}); }
  BatchRule batch_rule(std::span<const Spec> in) const { return batch_rule_of_axes(axes, in[0].shape); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const;
};

}  // namespace chiasm
