// SPDX-License-Identifier: Apache-2.0
#include "kernels/random/random_stream.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

namespace chiasm::test {
namespace {

// The known answers published with the algorithm (Random123, kat_vectors).
static_assert(philox4x32_10({{0, 0, 0, 0}}, {{0, 0}}) ==
              PhiloxBlock{{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}});
static_assert(philox4x32_10({{0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}}, {{0xffffffffu, 0xffffffffu}}) ==
              PhiloxBlock{{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}});
static_assert(philox4x32_10({{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}}, {{0xa4093822u, 0x299f31d0u}}) ==
              PhiloxBlock{{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}});

constexpr std::int64_t kCount = 1 << 20;

RandomStream stream(std::uint32_t op) {
  return RandomStream({.seed = 20240917, .purpose = RandomPurpose::kNoise, .epoch = 3, .sample = 5, .op = op});
}

// Moments of kCount numbers against the exact ones, within 5 standard errors, and no correlation with the next number.
void expect_moments(const std::function<double(std::uint64_t)>& draw, double mean, double variance, double fourth) {
  double sum = 0.0, squares = 0.0, products = 0.0, previous = draw(kCount) - mean;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const double x = draw(static_cast<std::uint64_t>(i)) - mean;
    sum += x;
    squares += x * x;
    products += x * previous;
    previous = x;
  }
  const double n = static_cast<double>(kCount);
  EXPECT_NEAR(sum / n, 0.0, 5.0 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 5.0 * std::sqrt((fourth - variance * variance) / n));
  EXPECT_NEAR(products / n / variance, 0.0, 5.0 / std::sqrt(n));
}

TEST(RandomStream, UniformHasItsMoments) {
  const RandomStream random = stream(1);
  expect_moments([&](std::uint64_t i) { return random.uniform(i); }, 0.5, 1.0 / 12.0, 1.0 / 80.0);
  expect_moments([&](std::uint64_t i) { return random.uniform_double(i); }, 0.5, 1.0 / 12.0, 1.0 / 80.0);
}

TEST(RandomStream, NormalHasItsMoments) {
  const RandomStream random = stream(2);
  expect_moments([&](std::uint64_t i) { return random.normal(i); }, 0.0, 1.0, 3.0);
  std::int64_t beyond = 0;
  for (std::int64_t i = 0; i < kCount; ++i) beyond += std::fabs(random.normal(static_cast<std::uint64_t>(i))) > 3.0;
  const double p = std::erfc(3.0 / std::sqrt(2.0));
  EXPECT_NEAR(static_cast<double>(beyond), p * kCount, 5.0 * std::sqrt(p * kCount));
}

TEST(RandomStream, TruncatedNormalHasItsMoments) {
  // By parts, with c = 2 phi(2) / P(|z| < 2): E z^2 = 1 - 2 c, E z^4 = 3 E z^2 - 8 c.
  const double density = std::exp(-2.0) / std::sqrt(2.0 * 3.14159265358979323846);
  const double c = 2.0 * density / std::erf(std::sqrt(2.0));
  const double variance = 1.0 - 2.0 * c;
  const RandomStream random = stream(3);
  expect_moments([&](std::uint64_t i) { return random.truncated_normal(i); }, 0.0, variance, 3.0 * variance - 8.0 * c);
  EXPECT_NEAR(std::sqrt(variance), 0.8796, 1e-4);
  double largest = 0.0;
  for (std::uint64_t i = 0; i < 100000; ++i) largest = std::max(largest, std::fabs(random.truncated_normal(i)));
  EXPECT_LT(largest, 2.0);
  EXPECT_GT(largest, 1.999);
}

TEST(RandomStream, BelowIsUniform) {
  const RandomStream random = stream(4);
  std::array<int, 7> counts{};
  const int draws = 70000;
  for (int i = 0; i < draws; ++i) ++counts.at(random.below(7, static_cast<std::uint64_t>(i)));
  for (int count : counts) EXPECT_NEAR(count, draws / 7, 5.0 * std::sqrt(draws / 7.0));
}

TEST(RandomStream, LimitsOfTheUniforms) {
  EXPECT_EQ(RandomStream::to_float(0), 0.0f);
  EXPECT_LT(RandomStream::to_float(0xffffffffu), 1.0f);
  EXPECT_EQ(RandomStream::to_float(0x80000000u), 0.5f);
}

// Changing any one field, even in its highest bit, changes the numbers.
TEST(RandomStream, EveryFieldOfTheAddressCounts) {
  const RandomAddress base{.seed = 1, .purpose = RandomPurpose::kShuffle, .epoch = 1, .sample = 1, .op = 1};
  std::vector<RandomAddress> addresses(9, base);
  addresses[1].seed ^= 1ull << 63;
  addresses[2].seed ^= 2;
  addresses[3].purpose = RandomPurpose::kAugment;
  addresses[4].epoch ^= 1u << 31;
  addresses[5].sample ^= 1u << 31;
  addresses[6].op ^= 1u << 31;
  addresses[7].epoch = 2;
  addresses[8].sample = 2;
  std::set<std::uint32_t> words;
  for (const RandomAddress& address : addresses) {
    for (std::uint64_t i = 0; i < 8; ++i) words.insert(RandomStream(address).word(i));
  }
  EXPECT_EQ(words.size(), addresses.size() * 8);
  EXPECT_NE(RandomStream(base).word(1), RandomStream(base).word(1 + (1ull << 40)));
}

// Across the carry from the low to the high word of the counter too.
TEST(RandomStream, LanesAreTheBlocks) {
  const RandomStream random = stream(5);
  std::uint32_t words[4][kPhiloxLanes];
  for (std::uint64_t first : {0ull, 17ull, 0xfffffff0ull, ~0ull - 3}) {
    random.blocks(first, words);
    for (int i = 0; i < kPhiloxLanes; ++i) {
      const PhiloxBlock expected = random.block(first + static_cast<std::uint64_t>(i));
      for (int k = 0; k < 4; ++k) ASSERT_EQ(words[k][i], expected.word[k]) << first << " + " << i;
    }
  }
}

// Published runs depend on these numbers: a change here changes every result.
TEST(RandomStream, NumbersDoNotChange) {
  constexpr RandomStream random({.seed = 42, .purpose = RandomPurpose::kDropout, .epoch = 7, .sample = 11, .op = 13});
  const PhiloxBlock hash = philox4x32_10({{4, 13, 0, 0}}, {{42, 0}});
  static_assert(random.word(6) == random.block(1).word[2]);
  EXPECT_EQ(random.block(9), philox4x32_10({{9, 0, 11, 7}}, {{hash.word[0], hash.word[1]}}));
}

}  // namespace
}  // namespace chiasm::test
