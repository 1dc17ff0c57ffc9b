// SPDX-License-Identifier: Apache-2.0
// FirstReaching: along the last axis, the position of the first element that reaches a threshold; where none does, of
// the first largest element. With confidences over time this is when a decision is made (spec/convrnn.md section 5).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct FirstReaching {
  static constexpr std::string_view kName = "first_reaching";

  double threshold = 0.0;  // infinity: always the first largest
  bool operator==(const FirstReaching&) const = default;

  // Input: a floating tensor [..., K] with K > 0. Output: int32 [...]. A NaN reaches no threshold and is no largest;
  // where all are NaN the position is 0.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::none(); }
  BatchRule batch_rule(std::span<const Spec> in) const { return BatchRule::each_if(in[0].shape.rank() > 1); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
};

}  // namespace chiasm
