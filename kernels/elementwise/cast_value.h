// SPDX-License-Identifier: Apache-2.0
// cast_value: one element of Cast.
#pragma once

#include <limits>
#include <type_traits>

#include "kernels/host_device.h"
#include "kernels/simd.h"

namespace chiasm {

template <class To, class From>
CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA To cast_value(From x) {
  if constexpr (std::is_integral_v<To> && !std::is_same_v<To, From>) {
    // double holds every value of every other type.
    constexpr double kLow = std::numeric_limits<To>::min();
    constexpr double kHigh = std::numeric_limits<To>::max();
    double value = static_cast<double>(x);
    value = value < kLow ? kLow : value;
    value = value > kHigh ? kHigh : value;
    value = value == value ? value : 0.0;
    return static_cast<To>(value);
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace chiasm
