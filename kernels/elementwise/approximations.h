// SPDX-License-Identifier: Apache-2.0
// Float32 transcendental functions without branches or library calls, so that loops over them vectorise. Each is a
// named approximation with its error bound, checked over the whole range by
// tests/kernels/elementwise/approximations_test.cpp. The overloads for double are the C++ library's: float64 is the
// reference path.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/host_device.h"
#include "kernels/simd.h"

#define CHIASM_APPROXIMATION CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA

namespace chiasm::approx {

namespace detail {

// x = n ln 2 + r with |r| <= ln2 / 2 (a little more by rounding); power = 2^(n-1), mantissa = e^r - 1.
struct ExpParts {
  float half_power;
  float mantissa;
};

CHIASM_APPROXIMATION ExpParts exp_parts(float x) {
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

// e^x. At most 2 ulp where e^x is at least 2^-125; below, the result lies in [0, 2^-125] and small ones are 0. +inf
// above 88.73.
CHIASM_APPROXIMATION float exp(float x) {
  const detail::ExpParts e = detail::exp_parts(x);
  return (e.half_power + e.half_power * e.mantissa) * 2.0f;
}

// e^x - 1, without cancellation near 0. At most 2 ulp; +inf above 88.73.
CHIASM_APPROXIMATION float expm1(float x) {
  const detail::ExpParts e = detail::exp_parts(x);
  return (e.half_power * e.mantissa + (e.half_power - 0.5f)) * 2.0f;
}

// 1 / (1 + e^-x). At most 3 ulp for x > -87; 0 <= result <= 1.7e-38 below.
CHIASM_APPROXIMATION float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

// At most 3 ulp.
CHIASM_APPROXIMATION float tanh(float x) {
  const float magnitude = std::fabs(x);
  const float limited = magnitude > 10.0f ? 10.0f : magnitude;  // tanh(10) rounds to 1
  const float e = expm1(2.0f * limited);
  return std::copysign(e / (e + 2.0f), x);
}

namespace detail {

// log(x) where `excess` is x - 1, which has digits that x lost where x was rounded near 1.
CHIASM_APPROXIMATION float log_parts(float x, float excess) {
  constexpr std::uint32_t kHalfRoot = 0x3f3504f3u;  // sqrt(1/2)
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440054690583e-4f;
  // x = 2^n (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::int32_t n = static_cast<std::int32_t>(bits - kHalfRoot) >> 23;
  const float m = std::bit_cast<float>(bits - (static_cast<std::uint32_t>(n) << 23));
  const float f = n == 0 ? excess : m - 1.0f;
  // log(1 + f) = 2 atanh(s) = 2s + s (2s^2/3 + 2s^4/5 + ...) with s = f / (2 + f), |s| < 0.172; the first term left out
  // is 2s^11/11, a relative 2e-9. 2s is f - s f, so that f is rounded once only.
  const float s = f / (2.0f + f);
  const float z = s * s;
  float p = 2.0f / 9.0f;
  p = p * z + 2.0f / 7.0f;
  p = p * z + 2.0f / 5.0f;
  p = p * z + 2.0f / 3.0f;
  const float mantissa = f - s * (f - z * p);
  const auto whole = static_cast<float>(n);
  return whole * kLn2High + (mantissa + whole * kLn2Low);
}

}  // namespace detail

// Natural logarithm of a finite, normal x > 0. At most 2 ulp.
CHIASM_APPROXIMATION float log(float x) { return detail::log_parts(x, x - 1.0f); }

// log(1 + x) for -0.999 <= x <= 2^120, without cancellation near 0. At most 3 ulp for x >= -0.25 and 4 ulp below.
CHIASM_APPROXIMATION float log1p(float x) { return detail::log_parts(1.0f + x, x); }

// log(1 + e^x). At most 3 ulp for x > -86; between 0 and 2^-124 below. NaN and +inf pass through.
CHIASM_APPROXIMATION float softplus(float x) { return (x < 0.0f ? 0.0f : x) + log1p(exp(-std::fabs(x))); }

struct SinCos {
  float sin;
  float cos;
};

// Sine and cosine of r whole turns (2 pi r) for |r| <= 1/8. At most 2 ulp each.
CHIASM_APPROXIMATION SinCos sin_cos_turns(float r) {
  const float x = 6.28318530717958648f * r;
  const float z = x * x;
  // Taylor series; the first terms left out are x^11 / 11! and x^12 / 12!, below 2e-9 of the result.
  float s = 1.0f / 362880.0f;
  s = s * z - 1.0f / 5040.0f;
  s = s * z + 1.0f / 120.0f;
  s = s * z - 1.0f / 6.0f;
  float c = -1.0f / 3628800.0f;
  c = c * z + 1.0f / 40320.0f;
  c = c * z - 1.0f / 720.0f;
  c = c * z + 1.0f / 24.0f;
  c = c * z - 0.5f;
  return {x + x * z * s, 1.0f + z * c};
}

CHIASM_HOST_DEVICE inline double exp(double x) { return std::exp(x); }
CHIASM_HOST_DEVICE inline double expm1(double x) { return std::expm1(x); }
CHIASM_HOST_DEVICE inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
CHIASM_HOST_DEVICE inline double tanh(double x) { return std::tanh(x); }
CHIASM_HOST_DEVICE inline double log(double x) { return std::log(x); }
CHIASM_HOST_DEVICE inline double log1p(double x) { return std::log1p(x); }
CHIASM_HOST_DEVICE inline double softplus(double x) {
  return (x < 0.0 ? 0.0 : x) + std::log1p(std::exp(-std::fabs(x)));
}

}  // namespace chiasm::approx

#undef CHIASM_APPROXIMATION
