// SPDX-License-Identifier: Apache-2.0
// Gather: picks indices of x along one axis: y[a.., i.., b..] = x[a.., indices[i..], b..].
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Gather {
  static constexpr std::string_view kName = "gather";

  int axis = 0;  // negative: counted from the end
  bool operator==(const Gather&) const = default;

  // Inputs: x of any element type, indices int32 of any shape. Output: the shape of x with `axis` replaced by the axes
  // of indices. forward() throws InputError for an index outside [0, size of the axis);
  // on CUDA, where indices are known on the device only, what it names is NaN (0 for integers) and gets no gradient.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // Each dx is the sum of the dy that it became, in row-major order of dy.
  GradientRule gradient(int input) const { return input == 0 ? GradientRule::kernel({1}) : GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
