// SPDX-License-Identifier: Apache-2.0
// Broadcast: x repeated to a larger shape by NumPy's rule.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Broadcast {
  static constexpr std::string_view kName = "broadcast";

  Shape shape;
  bool operator==(const Broadcast&) const = default;

  // Input: x of any element type whose shape broadcasts to `shape`.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // dy, which the engine sums to the shape of x.
  GradientRule gradient(int) const { return GradientRule::pass_through(); }
  BatchRule batch_rule(std::span<const Spec> in) const {
    return BatchRule::each_if(shape.rank() > 0 && in[0].shape.rank() == shape.rank() && in[0].shape[0] == shape[0]);
  }
  Broadcast at_batch(std::span<const Spec>, std::int64_t batch) const { return {shape.with(0, batch)}; }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
};

}  // namespace chiasm
