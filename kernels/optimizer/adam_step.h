// SPDX-License-Identifier: Apache-2.0
// AdamStep: one step of Adam (Kingma and Ba 2015), with step t counting from 1.
//   g' = g + l2 w                     L2 adds (l2 / 2) sum w^2 to the loss
//   m' = beta1 m + (1 - beta1) g'
//   v' = beta2 v + (1 - beta2) g'^2
//   kOutside: w' = w - rate m^ / (sqrt(v^) + epsilon), m^ = m' / (1 - beta1^t), v^ = v' / (1 - beta2^t). Algorithm 1;
//   PyTorch. kInside:  w' = w - rate sqrt(1 - beta2^t) / (1 - beta1^t) m' / (sqrt(v') + epsilon). Section 2, "epsilon
//   hat"; TensorFlow.
// The second is the first with epsilon divided by sqrt(1 - beta2^t): larger in early steps.
// With `decay`, which is decoupled from the gradient (AdamW; Loshchilov and Hutter 2019), both begin with
// (1 - rate decay) w instead of w.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

enum class AdamEpsilon : std::uint8_t { kOutside, kInside };

struct AdamStep {
  static constexpr std::string_view kName = "adam_step";
  static constexpr bool kInPlace = true;

  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  AdamEpsilon epsilon_convention = AdamEpsilon::kOutside;
  double l2 = 0.0;
  double decay = 0.0;
  bool operator==(const AdamStep&) const = default;

  // Inputs: w, g, m, v of one floating spec, learning_rate floating [], step floating or int32 []. Outputs: w', m', v'.
  // m and v begin at zero. forward() throws InputError when step is below 1; on
  // CUDA, where the step is known on the device only, all outputs become NaN.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  // forward() of each call in one launch for every few hundred tensors, with the same bits.
  void forward_many(CudaStream& stream, std::span<const OpCall> calls) const;
};

}  // namespace chiasm
