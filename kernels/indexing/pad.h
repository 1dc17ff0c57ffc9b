// SPDX-License-Identifier: Apache-2.0
// Pad: x surrounded by a constant.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Pad {
  static constexpr std::string_view kName = "pad";

  std::vector<std::int64_t> before;  // elements added before the first one, for each axis
  std::vector<std::int64_t> after;   // and after the last one
  double value = 0.0;
  bool operator==(const Pad&) const = default;

  // Input: floating x. Throws ShapeError unless there is one non-negative amount for each axis and side.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // The part of dy that x became.
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  BatchRule batch_rule(std::span<const Spec>) const {
    return BatchRule::each_if(!before.empty() && before[0] == 0 && after[0] == 0);
  }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
