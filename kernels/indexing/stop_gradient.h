// SPDX-License-Identifier: Apache-2.0
// StopGradient: x itself, with no gradient: what is computed from it treats it as a constant.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct StopGradient {
  static constexpr std::string_view kName = "stop_gradient";
  static constexpr bool kIsView = true;
  bool operator==(const StopGradient&) const = default;

  // Input: x of any element type.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::none(); }
  BatchRule batch_rule(std::span<const Spec> in) const { return BatchRule::each_if(in[0].shape.rank() > 0); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
};

}  // namespace chiasm
