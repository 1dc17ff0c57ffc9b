// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10, the counter-based random generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011, section 5: a keyed bijection of 128-bit counters. There is no state to save, split or advance.
#pragma once

#include <cstdint>

#include "kernels/host_device.h"
#include "kernels/simd.h"

namespace chiasm {

struct PhiloxBlock {
  std::uint32_t word[4];
  constexpr bool operator==(const PhiloxBlock&) const = default;
};

struct PhiloxKey {
  std::uint32_t word[2];
  constexpr bool operator==(const PhiloxKey&) const = default;
};

namespace philox {
inline constexpr int kRounds = 10;
inline constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
inline constexpr std::uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;  // golden ratio, sqrt(3) - 1
}  // namespace philox

CHIASM_HOST_DEVICE constexpr PhiloxBlock philox4x32_10(PhiloxBlock counter, PhiloxKey key) {
  for (int round = 0; round < philox::kRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{philox::kMultiplier0} * counter.word[0];
    const std::uint64_t product1 = std::uint64_t{philox::kMultiplier1} * counter.word[2];
    counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.word[1] ^ key.word[0],
                static_cast<std::uint32_t>(product1),
                static_cast<std::uint32_t>(product0 >> 32) ^ counter.word[3] ^ key.word[1],
                static_cast<std::uint32_t>(product0)}};
    key.word[0] += philox::kWeyl0;
    key.word[1] += philox::kWeyl1;
  }
  return counter;
}

// The same for kPhiloxLanes neighbouring counters on the CPU, one round of all lanes after the other so that the lanes
// vectorise: words[k][i] is word k of the block at counter {first + i, counter.word[2], counter.word[3]}, where the
// first two words of the counter are one 64-bit number.
inline constexpr int kPhiloxLanes = 64;

inline CHIASM_INLINE_LAMBDA void philox4x32_10_lanes(PhiloxBlock counter, PhiloxKey key,
                                                     std::uint32_t (&words)[4][kPhiloxLanes]) {
  const std::uint64_t first = std::uint64_t{counter.word[1]} << 32 | counter.word[0];
  for (int i = 0; i < kPhiloxLanes; ++i) {
    words[0][i] = static_cast<std::uint32_t>(first + static_cast<std::uint64_t>(i));
    words[1][i] = static_cast<std::uint32_t>((first + static_cast<std::uint64_t>(i)) >> 32);
    words[2][i] = counter.word[2];
    words[3][i] = counter.word[3];
  }
  for (int round = 0; round < philox::kRounds; ++round) {
    for (int i = 0; i < kPhiloxLanes; ++i) {
      const std::uint64_t product0 = std::uint64_t{philox::kMultiplier0} * words[0][i];
      const std::uint64_t product1 = std::uint64_t{philox::kMultiplier1} * words[2][i];
      words[0][i] = static_cast<std::uint32_t>(product1 >> 32) ^ words[1][i] ^ key.word[0];
      words[1][i] = static_cast<std::uint32_t>(product1);
      words[2][i] = static_cast<std::uint32_t>(product0 >> 32) ^ words[3][i] ^ key.word[1];
      words[3][i] = static_cast<std::uint32_t>(product0);
    }
    key.word[0] += philox::kWeyl0;
    key.word[1] += philox::kWeyl1;
  }
}

}  // namespace chiasm
