// SPDX-License-Identifier: Apache-2.0
// Float32 transcendental functions without branches or library calls, so that loops over them vectorise. Each is a named
// approximation with its error bound, checked over the whole range by tests/kernels/elementwise/approximations_test.cpp.
// The overloads for double are the C++ library's: float64 is the reference path.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/simd.h"

namespace chiasm::approx {

namespace detail {

// x = n ln 2 + r with |r| <= ln2 / 2 (a little more by rounding); power = 2^(n-1), mantissa = e^r - 1.
struct ExpParts {
  float half_power;
  float mantissa;
};

inline CHIASM_INLINE_LAMBDA ExpParts exp_parts(float x) {
  constexpr float kLow = -87.3f, kHigh = 89.0f;  // e^kLow is the smallest normal number, e^kHigh overflows
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440054690583e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low mantissa bits
  x = x < kLow ? kLow : x;               // written so that NaN passes through
  x = x > kHigh ? kHigh : x;
  const float shifted = x * kLog2E + kRound;
  const std::int32_t n = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRound);
  const float whole = shifted - kRound;
  const float r = (x - whole * kLn2High) - whole * kLn2Low;
  // Taylor series of e^r - 1; the first term left out is r^8 / 8! < 6e-9.
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  // 2^(n-1) because 2^128 is not a float; n - 1 + 127 lies in [0, 254].
  const float half_power = std::bit_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(n + 126) << 23));
  return {half_power, r + r * r * p};
}

}  // namespace detail

// e^x. At most 2 ulp where e^x is at least 2^-125; below, the result lies in [0, 2^-125] and small ones are 0. +inf above
// 88.73.
inline CHIASM_INLINE_LAMBDA float exp(float x) {
  const detail::ExpParts e = detail::exp_parts(x);
  return (e.half_power + e.half_power * e.mantissa) * 2.0f;
}

// e^x - 1, without cancellation near 0. At most 2 ulp; +inf above 88.73.
inline CHIASM_INLINE_LAMBDA float expm1(float x) {
  const detail::ExpParts e = detail::exp_parts(x);
  return (e.half_power * e.mantissa + (e.half_power - 0.5f)) * 2.0f;
}

// 1 / (1 + e^-x). At most 3 ulp for x > -87; 0 <= result <= 1.7e-38 below.
inline CHIASM_INLINE_LAMBDA float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

// At most 3 ulp.
inline CHIASM_INLINE_LAMBDA float tanh(float x) {
  const float magnitude = std::fabs(x);
  const float limited = magnitude > 10.0f ? 10.0f : magnitude;  // tanh(10) rounds to 1
  const float e = expm1(2.0f * limited);
  return std::copysign(e / (e + 2.0f), x);
}

inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
inline double tanh(double x) { return std::tanh(x); }

}  // namespace chiasm::approx
