// SPDX-License-Identifier: Apache-2.0
// Reshape: the elements of x in row-major order, read with another shape.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Reshape {
  static constexpr std::string_view kName = "reshape";
  static constexpr bool kIsView = true;

  Shape shape;
  bool operator==(const Reshape&) const = default;

  // Input: x of any element type with as many elements as `shape`.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::pass_through(); }
  BatchRule batch_rule(std::span<const Spec> in) const {
    return BatchRule::each_if(in[0].shape.rank() > 0 && shape.rank() > 0 && in[0].shape[0] == shape[0]);
  }
  Reshape at_batch(std::span<const Spec>, std::int64_t batch) const { return {shape.with(0, batch)}; }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  // Never called: the gradient is dy, reshaped.
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
};

}  // namespace chiasm
