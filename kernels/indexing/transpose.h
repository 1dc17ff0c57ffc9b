// SPDX-License-Identifier: Apache-2.0
// Transpose: the axes of x in another order. NHWC to NCHW is {0, 3, 1, 2}.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Transpose {
  static constexpr std::string_view kName = "transpose";

  std::vector<int> permutation;  // axis i of the output is axis permutation[i] of x
  bool operator==(const Transpose&) const = default;

  // Input: x of any element type. Throws ShapeError unless `permutation` names each axis of x once.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // dy with the axes put back.
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  BatchRule batch_rule(std::span<const Spec>) const {
    return BatchRule::each_if(!permutation.empty() && permutation[0] == 0);
  }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
