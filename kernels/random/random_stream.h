// SPDX-License-Identifier: Apache-2.0
// RandomStream: random numbers with an address. The number at (address, index) is a pure function of both: the same on
// every device, for any number of threads, any order of calls, and after a resume. Nothing needs to be saved.
//
// Key: (seed, purpose, op) hashed by one Philox block, so all 32 bits of each count; two different triples share a key
// with probability 2^-64. Counter: (index, sample, epoch), so numbers of one key never meet. Each kind of number below
// has its own use of the counter: one address should be asked for one kind only.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/random/philox.h"

namespace chiasm {

enum class RandomPurpose : std::uint32_t {
  kInitialise = 1,
  kShuffle = 2,
  kAugment = 3,
  kDropout = 4,
  kNoise = 5,
  kTrials = 6,
  kGenerate = 7
};

struct RandomAddress {
  std::uint64_t seed = 0;
  RandomPurpose purpose = RandomPurpose::kInitialise;
  std::uint32_t epoch = 0;
  std::uint32_t sample = 0;  // index in the data set, not in the batch
  std::uint32_t op = 0;      // which consumer: an op of the graph, a parameter, an augmentation

  constexpr bool operator==(const RandomAddress&) const = default;
};

class RandomStream {
 public:
  CHIASM_HOST_DEVICE constexpr explicit RandomStream(const RandomAddress& address)
      : key_(key_of(address)), sample_(address.sample), epoch_(address.epoch) {}

  // The numbers of the same seed, purpose and op at another epoch and sample: what a new RandomStream would give,
  // without hashing its key again.
  CHIASM_HOST_DEVICE constexpr RandomStream at(std::uint32_t epoch, std::uint32_t sample) const {
    RandomStream other = *this;
    other.epoch_ = epoch;
    other.sample_ = sample;
    return other;
  }

  // Four independent words.
  CHIASM_HOST_DEVICE constexpr PhiloxBlock block(std::uint64_t index) const {
    return philox4x32_10(
        {{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), sample_, epoch_}}, key_);
  }
  // words[k][i] is word k of block(first + i); for loops over many numbers.
  inline CHIASM_INLINE_LAMBDA void blocks(std::uint64_t first, std::uint32_t (&words)[4][kPhiloxLanes]) const {
    philox4x32_10_lanes({{static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(first >> 32), sample_, epoch_}},
                        key_, words);
  }
  CHIASM_HOST_DEVICE constexpr std::uint32_t word(std::uint64_t index) const {
    return block(index / 4).word[index % 4];
  }

  // Uniform in [0, 1) with 24 random bits: every value is a float.
  CHIASM_HOST_DEVICE constexpr float uniform(std::uint64_t index) const { return to_float(word(index)); }
  CHIASM_HOST_DEVICE static constexpr float to_float(std::uint32_t word) {
    return static_cast<float>(word >> 8) * 0x1p-24f;
  }

  // Uniform in [0, 1) with 53 random bits.
  CHIASM_HOST_DEVICE constexpr double uniform_double(std::uint64_t index) const {
    const PhiloxBlock bits = block(index / 2);
    return index % 2 == 0 ? to_double(bits.word[0], bits.word[1]) : to_double(bits.word[2], bits.word[3]);
  }

  // Uniform integer in [0, count). REQUIRES: 0 < count <= 2^32; one value is likelier than another by less than 2^-21.
  CHIASM_HOST_DEVICE constexpr std::uint64_t below(std::uint64_t count, std::uint64_t index) const {
    return static_cast<std::uint64_t>(uniform_double(index) * static_cast<double>(count));
  }

  // Mean 0, variance 1 (Box and Muller 1958, in double; two numbers a block).
  CHIASM_HOST_DEVICE double normal(std::uint64_t index) const { return normal_pair(block(index / 2)).value[index % 2]; }

  // The normal distribution restricted to |z| < 2 and not rescaled (standard deviation 0.8796), by rejection. Attempt k
  // for an index draws block k 2^56 + index, so the number depends on the address alone. REQUIRES: index < 2^56.
  double truncated_normal(std::uint64_t index) const {
    for (std::uint64_t attempt = 0;; ++attempt) {  // each attempt fails with probability 0.0455^2
      const NormalPair pair = normal_pair(block(attempt << 56 | index));
      for (double z : pair.value) {
        if (std::fabs(z) < 2.0) return z;
      }
    }
  }

 private:
  struct NormalPair {
    double value[2];
  };

  CHIASM_HOST_DEVICE static constexpr PhiloxKey key_of(const RandomAddress& address) {
    const PhiloxKey seed{{static_cast<std::uint32_t>(address.seed), static_cast<std::uint32_t>(address.seed >> 32)}};
    const PhiloxBlock hash = philox4x32_10({{static_cast<std::uint32_t>(address.purpose), address.op, 0, 0}}, seed);
    return {{hash.word[0], hash.word[1]}};
  }
  CHIASM_HOST_DEVICE static constexpr double to_double(std::uint32_t high, std::uint32_t low) {
    return static_cast<double>((std::uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
  }
  CHIASM_HOST_DEVICE static NormalPair normal_pair(const PhiloxBlock& bits) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - to_double(bits.word[0], bits.word[1])));
    const double angle = 6.283185307179586476925 * to_double(bits.word[2], bits.word[3]);
    return {{radius * std::cos(angle), radius * std::sin(angle)}};
  }

  PhiloxKey key_;
  std::uint32_t sample_;
  std::uint32_t epoch_;
};

}  // namespace chiasm
