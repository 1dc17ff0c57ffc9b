// SPDX-License-Identifier: Apache-2.0
// RmsPropUpdate: RmsPropStep of one element, on any device.
#pragma once

#include <array>
#include <cmath>

#include "kernels/host_device.h"
#include "kernels/optimizer/rms_prop_step.h"
#include "kernels/simd.h"

namespace chiasm {

template <class T>
struct RmsPropUpdate {
  static constexpr int kInputs = 4, kOutputs = 3;

  T rate, old, fresh, momentum, under_root, beside_root, l2, shrink;
  bool shrinks;

  RmsPropUpdate() = default;
  CHIASM_HOST_DEVICE RmsPropUpdate(const RmsPropStep& op, double learning_rate)
      : rate(static_cast<T>(learning_rate)),
        old(static_cast<T>(op.smoothing)),
        fresh(static_cast<T>(1.0 - op.smoothing)),
        momentum(static_cast<T>(op.momentum)),
        under_root(static_cast<T>(op.epsilon_inside ? op.epsilon : 0.0)),
        beside_root(static_cast<T>(op.epsilon_inside ? 0.0 : op.epsilon)),
        l2(static_cast<T>(op.l2)),
        shrink(static_cast<T>(learning_rate * op.decay)),
        shrinks(op.decay != 0.0) {}

  // w, g, v, b -> w', v', b'
  CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA std::array<T, kOutputs> operator()(T w, T g, T v, T b) const {
    const T slope = g + l2 * w;
    const T square = old * v + fresh * slope * slope;
    const T direction = momentum * b + slope / (std::sqrt(square + under_root) + beside_root);
    const T kept = shrinks ? w - shrink * w : w;
    return {kept - rate * direction, square, direction};
  }
};

}  // namespace chiasm
