// SPDX-License-Identifier: Apache-2.0
// Reductions of one run of values, split over lanes so that they vectorise without reassociating anything by chance:
// value i always goes to lane i mod 32, and lanes are folded in halves. Used inside with_widest_isa.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/simd.h"

namespace chiasm {

struct SumOf {
  static constexpr float kIdentity = 0.0f;
  CHIASM_INLINE_LAMBDA inline float operator()(float a, float b) const { return a + b; }
};

// NaN wins, as it should in a maximum that will be looked at.
struct MaxOf {
  static constexpr float kIdentity = -__builtin_inff();
  CHIASM_INLINE_LAMBDA inline float operator()(float a, float b) const {
    const float larger = b > a ? b : a;  // a when either is NaN
    return b != b ? b : larger;
  }
};

// combine over i in [0, count) of term(i), an array of `Values` floats reduced side by side.
template <int Values, class Combine, class Term>
CHIASM_INLINE_LAMBDA inline std::array<float, Values> reduce_run(std::int64_t count, Combine combine, Term&& term) {
  constexpr int kLanes = Values == 1 ? 32 : Values == 2 ? 16 : 8;  // folding in halves needs a power of two
  static_assert(Values <= 4);
  std::array<float, Values> result;
  result.fill(Combine::kIdentity);
  std::int64_t i = 0;
  if (count >= kLanes) {
    float lanes[Values][kLanes];
    for (int l = 0; l < kLanes; ++l) {
      const std::array<float, Values> t = term(l);
      for (int v = 0; v < Values; ++v) lanes[v][l] = t[v];
    }
    for (i = kLanes; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 1
      for (int l = 0; l < kLanes; ++l) {
        const std::array<float, Values> t = term(i + l);
        for (int v = 0; v < Values; ++v) lanes[v][l] = combine(lanes[v][l], t[v]);
      }
    }
    for (int v = 0; v < Values; ++v) {
      for (int half = kLanes / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; ++l) lanes[v][l] = combine(lanes[v][l], lanes[v][l + half]);
      }
      result[v] = lanes[v][0];
    }
  }
  for (; i < count; ++i) {
    const std::array<float, Values> t = term(i);
    for (int v = 0; v < Values; ++v) result[v] = combine(result[v], t[v]);
  }
  return result;
}

}  // namespace chiasm
