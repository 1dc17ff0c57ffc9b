// SPDX-License-Identifier: Apache-2.0
// Concat: tensors joined along one axis, in the order of the inputs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Concat {
  static constexpr std::string_view kName = "concat";

  int axis = -1;  // negative: counted from the end
  bool operator==(const Concat&) const = default;

  // Inputs: one or more, of one element type, with equal sizes along every other axis.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // The part of dy that the input became.
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  BatchRule batch_rule(std::span<const Spec> in) const {
    return BatchRule::each_if(in[0].shape.rank() > 0 && normalise_axis(kName.data(), axis, in[0].shape.rank()) != 0,
                              in.size());
  }
  // Along the outermost axis that has more than one index, parts lie one after the other.
  std::optional<std::int64_t> part_offset(std::span<const Spec> in, int input) const;
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
