// SPDX-License-Identifier: Apache-2.0
// Float32 random numbers as pure functions of a Philox block, without branches, so that loops over blocks vectorise and
// a GPU thread can make its own. They are the numbers of random_stream.h, rounded.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/elementwise/approximations.h"
#include "kernels/host_device.h"

namespace chiasm {

struct NormalPairFloat {
  float value[2];
};

// The two numbers that RandomStream::normal makes of the same four words (Box and Muller 1958), each within 6 ulp of
// it: every subtraction that would lose digits is made on the integers.
CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA NormalPairFloat normal_pair(std::uint32_t word0, std::uint32_t word1, std::uint32_t word2,
                                                        std::uint32_t word3) {
  // A fraction k / 2^53 of k = high 2^29 + low, 24 and 29 bits.
  const auto fraction = [](std::uint32_t high, std::uint32_t low) CHIASM_INLINE_LAMBDA {
    return static_cast<float>(static_cast<std::int32_t>(high)) * 0x1p-24f +
           static_cast<float>(static_cast<std::int32_t>(low)) * 0x1p-53f;
  };
  // u of the radius sqrt(-2 log(1 - u)), and 1 - u, each to 24 bits however small.
  const std::uint32_t high = word0 >> 8, low = (word0 & 0xffu) << 21 | word1 >> 11;
  const float u = fraction(high, low);
  const float rest = fraction(high ^ 0xffffffu, (low ^ 0x1fffffffu) + 1u);
  const float radius = std::sqrt(-2.0f * approx::detail::log_parts(rest, -u));
  // The angle in turns: the nearest multiple of 1/4 and what is left, in [-1/8, 1/8).
  const std::uint32_t quarter = (word2 + (1u << 29)) >> 30;
  const auto left = static_cast<std::int32_t>(word2 - (quarter << 30));
  const float r =
      static_cast<float>(left) * 0x1p-32f + static_cast<float>(static_cast<std::int32_t>(word3 >> 11)) * 0x1p-53f;
  const approx::SinCos angle = approx::sin_cos_turns(r);
  // Turning by `quarter` quarters: exchange the two when it is odd; the sine changes its sign at 2 and 3 (mod 4), the
  // cosine at 1 and 2.
  const auto sin = std::bit_cast<std::uint32_t>(angle.sin), cos = std::bit_cast<std::uint32_t>(angle.cos);
  const std::uint32_t odd = 0u - (quarter & 1u);
  const std::uint32_t cos_sign = (quarter + 1u) << 30 & 0x80000000u, sin_sign = quarter << 30 & 0x80000000u;
  return {{radius * std::bit_cast<float>(((cos & ~odd) | (sin & odd)) ^ cos_sign),
           radius * std::bit_cast<float>(((sin & ~odd) | (cos & odd)) ^ sin_sign)}};
}

// Uniform in (-1, 1) with 24 random bits, symmetric about zero, never zero: 2 u - 1 + 2^-24 for u =
// RandomStream::to_float.
CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA float symmetric_uniform(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(2u * (word >> 8) + 1u) - (1 << 24)) * 0x1p-24f;
}

}  // namespace chiasm
