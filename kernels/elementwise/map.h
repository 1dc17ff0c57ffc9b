// SPDX-License-Identifier: Apache-2.0
// Map<F>: applies an element-wise function of one, two or three tensors, which broadcast by NumPy's rule. The functions
// are in functors.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/elementwise/functors.h"
#include "kernels/elementwise/pointwise_function.h"
#include "kernels/op.h"

namespace chiasm {

template <class F>
struct Map {
  static constexpr std::string_view kName = F::kName;
  static constexpr bool kInPlace = true;
  static constexpr bool kBroadcasts = true;

  F function;
  bool operator==(const Map&) const = default;

  // Inputs: F::kArity floating tensors of one element type. Output: their common broadcast shape.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int input) const { return F::gradient(input); }
  // Inputs of the full shape carry the batch; those that broadcast over it are read whole.
  BatchRule batch_rule(std::span<const Spec> in) const;
  PointwiseFunction pointwise() const;
  PointwiseFunction pointwise_gradient(int input) const;
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
