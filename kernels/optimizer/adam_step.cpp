// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer/adam_step.h"

#include <cmath>

#include "kernels/optimizer/update_loop.h"

namespace chiasm {

std::vector<Spec> AdamStep::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 6);
  require_floating(kName, "w", in[0]);
  constexpr std::string_view kNames[] = {"w", "g", "m", "v"};
  for (int i : {1, 2, 3}) {
    require_dtype(kName, kNames[i], in[i], in[0].dtype);
    require_shape(kName, kNames[i], in[i], in[0].shape);
  }
  require_floating(kName, "learning_rate", in[4]);
  require_shape(kName, "learning_rate", in[4], {});
  if (in[5].dtype != DType::kInt32) require_floating(kName, "step", in[5]);
  require_shape(kName, "step", in[5], {});
  return {in[0], in[0], in[0]};
}

void AdamStep::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const double learning_rate = scalar_of(in[4]);
  const double step = scalar_of(in[5]);
  if (!(step >= 1.0)) throw InputError("[adam_step] step counts from 1, found " + std::to_string(step));
  const double correction1 = 1.0 - std::pow(beta1, step);
  const double root2 = std::sqrt(1.0 - std::pow(beta2, step));
  // Both conventions: w' = w - rate m' / (sqrt(v') / root + epsilon).
  const bool outside = epsilon_convention == AdamEpsilon::kOutside;
  const double scaled_rate = learning_rate / correction1 * (outside ? 1.0 : root2);
  const double inverse_root = outside ? 1.0 / root2 : 1.0;
  visit_floating(in[0].dtype(), [&]<class T>() {
    const T b1 = static_cast<T>(beta1), b2 = static_cast<T>(beta2), c1 = static_cast<T>(1.0 - beta1),
            c2 = static_cast<T>(1.0 - beta2), rate = static_cast<T>(scaled_rate), root = static_cast<T>(inverse_root),
            eps = static_cast<T>(epsilon), decay = static_cast<T>(l2);
    update_elements<T>(stream, std::array{in[0], in[1], in[2], in[3]}, std::array{out[0], out[1], out[2]},
                       [=](T w, T g, T m, T v) CHIASM_INLINE_LAMBDA {
                         const T slope = g + decay * w;
                         const T mean = b1 * m + c1 * slope;
                         const T square = b2 * v + c2 * slope * slope;
                         return std::array<T, 3>{w - rate * mean / (std::sqrt(square) * root + eps), mean, square};
                       });
  });
}

}  // namespace chiasm
