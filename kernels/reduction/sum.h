// SPDX-License-Identifier: Apache-2.0
// Sum: the sum over some axes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"
#include "kernels/reduction/axes.h"

namespace chiasm {

struct Sum {
  static constexpr std::string_view kName = "sum";

  std::vector<int> axes = {};  // none: all of them; negative ones count from the end
  bool keep_axes = false;      // reduced axes stay with size 1, instead of being left out
  bool operator==(const Sum&) const = default;

  // Input: one floating tensor. The sum of no element is 0.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  BatchRule batch_rule(std::span<const Spec> in) const { return batch_rule_of_axes(axes, in[0].shape); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
};

}  // namespace chiasm
