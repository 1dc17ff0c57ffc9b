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

  T rate, momentum, decay;
  bool look_ahead;

  SgdUpdate() = default;
  CHIASM_HOST_DEVICE SgdUpdate(const SgdStep& op, double learning_rate)
      : rate(static_cast<T>(learning_rate)),
        momentum(static_cast<T>(op.momentum)),
        decay(static_cast<T>(op.l2)),
        look_ahead(op.nesterov) {}

  // w, g, v -> w', v'
  CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA std::array<T, kOutputs> operator()(T w, T g, T v) const {
    const T slope = g + decay * w;
    const T velocity = momentum * v + slope;
    const T direction = look_ahead ? slope + momentum * velocity : velocity;
    return {w - rate * direction, velocity};
  }
};

}  // namespace chiasm
