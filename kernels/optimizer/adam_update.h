// SPDX-License-Identifier: Apache-2.0
// AdamUpdate: AdamStep of one element, on any device.
#pragma once

#include <array>
#include <cmath>

#include "kernels/host_device.h"
#include "kernels/optimizer/adam_step.h"
#include "kernels/simd.h"

namespace chiasm {

template <class T>
struct AdamUpdate {
  static constexpr int kInputs = 4, kOutputs = 3;

  T b1, b2, c1, c2, rate, root, epsilon, l2, shrink;
  bool shrinks;

  AdamUpdate() = default;
  CHIASM_HOST_DEVICE AdamUpdate(const AdamStep& op, double learning_rate, double step) {
    const double correction1 = 1.0 - std::pow(op.beta1, step);
    const double root2 = std::sqrt(1.0 - std::pow(op.beta2, step));
    // Both conventions: w' = w - rate m' / (sqrt(v') / root + epsilon).
    const bool outside = op.epsilon_convention == AdamEpsilon::kOutside;
    b1 = static_cast<T>(op.beta1), b2 = static_cast<T>(op.beta2);
    c1 = static_cast<T>(1.0 - op.beta1), c2 = static_cast<T>(1.0 - op.beta2);
    rate = static_cast<T>(learning_rate / correction1 * (outside ? 1.0 : root2));
    root = static_cast<T>(outside ? 1.0 / root2 : 1.0);
    epsilon = static_cast<T>(op.epsilon), l2 = static_cast<T>(op.l2);
    shrink = static_cast<T>(learning_rate * op.decay), shrinks = op.decay != 0.0;
  }

  // w, g, m, v -> w', m', v'
  CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA std::array<T, kOutputs> operator()(T w, T g, T m, T v) const {
    const T slope = g + l2 * w;
    const T mean = b1 * m + c1 * slope;
    const T square = b2 * v + c2 * slope * slope;
    const T kept = shrinks ? w - shrink * w : w;
    return {kept - rate * mean / (std::sqrt(square) * root + epsilon), mean, square};
  }
};

}  // namespace chiasm
