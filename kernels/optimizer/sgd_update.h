// SPDX-License-Identifier: Apache-2.0
// SgdUpdate: SgdStep of one element, on any device.
#pragma once

#include <array>

#include "kernels/host_device.h"
#include "kernels/optimizer/sgd_step.h"
#include "kernels/simd.h"

namespace chiasm {

template <class T>
struct SgdUpdate {
  static constexpr int kInputs = 3, kOutputs = 2;

  T rate, momentum, l2, shrink;
  bool look_ahead, shrinks;

  SgdUpdate() = default;
  CHIASM_HOST_DEVICE SgdUpdate(const SgdStep& op, double learning_rate)
      : rate(static_cast<T>(learning_rate)),
        momentum(static_cast<T>(op.momentum)),
        l2(static_cast<T>(op.l2)),
        shrink(static_cast<T>(learning_rate * op.decay)),
        look_ahead(op.nesterov),
        shrinks(op.decay != 0.0) {}

  // w, g, v -> w', v'
  CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA std::array<T, kOutputs> operator()(T w, T g, T v) const {
    const T slope = g + l2 * w;
    const T velocity = momentum * v + slope;
    const T direction = look_ahead ? slope + momentum * velocity : velocity;
    const T kept = shrinks ? w - shrink * w : w;
    return {kept - rate * direction, velocity};
  }
};

}  // namespace chiasm
