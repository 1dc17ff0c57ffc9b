// SPDX-License-Identifier: Apache-2.0
// RmsPropStep: one step of RMSProp (Tieleman and Hinton 2012) with momentum.
//   g' = g + l2 w                     L2 adds (l2 / 2) sum w^2 to the loss
//   v' = smoothing v + (1 - smoothing) g'^2
//   b' = momentum b + g' / (sqrt(v') + epsilon)        epsilon_inside: g' / sqrt(v' + epsilon)
//   w' = (1 - rate decay) w - rate b'                  `decay` is decoupled from the gradient
// Epsilon outside the root is PyTorch, inside it is TensorFlow, whose v begins at one and whose rate is in b.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct RmsPropStep {
  static constexpr std::string_view kName = "rms_prop_step";
  static constexpr bool kInPlace = true;

  double smoothing = 0.99;
  double momentum = 0.0;
  double epsilon = 1e-8;
  bool epsilon_inside = false;
  double l2 = 0.0;
  double decay = 0.0;
  bool operator==(const RmsPropStep&) const = default;

  // Inputs: w, g, v, b of one floating spec, learning_rate floating []. Outputs: w', v', b'. v and b begin at zero.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  // forward() of each call in one launch for every few hundred tensors, with the same bits.
  void forward_many(CudaStream& stream, std::span<const OpCall> calls) const;
};

}  // namespace chiasm
