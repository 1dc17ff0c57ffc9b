// SPDX-License-Identifier: Apache-2.0
// SgdStep: one step of gradient descent with momentum (spec/convrnn.md 7.1).
//   g' = g + l2 w                     L2 adds (l2 / 2) sum w^2 to the loss
//   v' = momentum v + g'
//   w' = (1 - learning_rate decay) w - learning_rate (nesterov ? g' + momentum v' : v')
// `decay` is decoupled from the gradient (Loshchilov and Hutter 2019, algorithm 1).
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct SgdStep {
  static constexpr std::string_view kName = "sgd_step";
  static constexpr bool kInPlace = true;

  double momentum = 0.0;
  bool nesterov = false;
  double l2 = 0.0;
  double decay = 0.0;
  bool operator==(const SgdStep&) const = default;

  // Inputs: w, g, v of one floating spec, learning_rate floating []. Outputs: w', v'. v begins at zero.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  // forward() of each call in one launch for every few hundred tensors, with the same bits.
  void forward_many(CudaStream& stream, std::span<const OpCall> calls) const;
};

}  // namespace chiasm
