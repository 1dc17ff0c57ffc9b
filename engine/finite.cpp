// SPDX-License-Identifier: Apache-2.0
#include "engine/finite.h"

#include <cmath>

#include "kernels/simd.h"

namespace chiasm {
namespace {

template <class T>
bool dense_finite(const T* x, std::int64_t count) {
  // x * 0 is 0 for finite x and NaN otherwise, and the sum keeps a NaN: no branch in the loop.
  constexpr int kLanes = 16;
  T lanes[kLanes] = {};
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    std::int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (int k = 0; k < kLanes; ++k) lanes[k] += x[i + k] * T(0);
    }
    for (; i < count; ++i) lanes[0] += x[i] * T(0);
  });
  T sum = T(0);
  for (T lane : lanes) sum += lane;
  return sum == T(0);
}

}  // namespace

bool all_finite(const View& view) {
  if (!is_floating(view.dtype())) return true;
  return visit_floating(view.dtype(), [&]<class T>() {
    if (view.dense()) return dense_finite(view.as<T>(), view.elements());
    bool finite = true;
    for_each_offset(
        view.shape(), [&](std::int64_t i) { finite = finite && std::isfinite(view.as<T>()[i]); }, view.strides());
    return finite;
  });
}

void require_finite(const View& view, const std::string& where) {
  if (all_finite(view)) return;
  visit_floating(view.dtype(), [&]<class T>() {
    std::int64_t bad = 0, first = -1, index = 0;
    T value = T(0);
    for_each_offset(
        view.shape(),
        [&](std::int64_t i) {
          if (!std::isfinite(view.as<T>()[i]) && bad++ == 0) {
            first = index;
            value = view.as<T>()[i];
          }
          ++index;
        },
        view.strides());
    throw NumericalError(where, where + ": element " + std::to_string(first) + " is " +
                                    (std::isnan(value) ? "NaN"
                                     : value > T(0)    ? "+inf"
                                                       : "-inf") +
                                    " (" + std::to_string(bad) + " of " + std::to_string(view.elements()) +
                                    " are not finite)");
  });
}

}  // namespace chiasm
