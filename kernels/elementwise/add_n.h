// SPDX-License-Identifier: Apache-2.0
// AddN: the sum of any number of equally shaped tensors, in the order given, with one pass over memory. Gradients of a
// value that is used several times meet in it.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/elementwise/pointwise_function.h"
#include "kernels/op.h"

namespace chiasm {

struct AddN {
  static constexpr std::string_view kName = "add_n";
  static constexpr bool kInPlace = true;

  bool operator==(const AddN&) const = default;

  // Inputs: at least one floating tensor, all of one element type and shape, which the output has too.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::pass_through(); }
  BatchRule batch_rule(std::span<const Spec> in) const { return BatchRule::each_if(in[0].shape.rank() > 0, in.size()); }
  PointwiseFunction pointwise() const;
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
};

}  // namespace chiasm
