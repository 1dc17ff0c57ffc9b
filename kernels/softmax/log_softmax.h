// SPDX-License-Identifier: Apache-2.0
// LogSoftmax: y_i = x_i - log sum_j e^x_j over the last axis, computed after subtracting the largest x of the row.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct LogSoftmax {
  static constexpr std::string_view kName = "log_softmax";

  bool operator==(const LogSoftmax&) const = default;

  // Input: a floating tensor of at least one axis, the last of which is not empty. Output: the same spec. A NaN makes
  // its whole row NaN.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({}, {0}); }
  BatchRule batch_rule(std::span<const Spec> in) const { return BatchRule::each_if(in[0].shape.rank() > 1); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  std::int64_t backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const;
};

}  // namespace chiasm
