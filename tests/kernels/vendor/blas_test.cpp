// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/blas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace chiasm {
namespace {

template <class T>
class Gemm : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

template <class T>
std::vector<T> waves(std::int64_t count, double phase) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(std::sin(0.37 * static_cast<double>(i) + phase));
  return values;
}

// Against three loops, for both orders of each factor, sides off the block sizes, and gaps between rows.
TYPED_TEST(Gemm, IsTheProductInEveryLayout) {
  using T = TypeParam;
  constexpr std::int64_t m = 45, n = 83, k = 19, gap = 3;
  const double tolerance = 16 * std::numeric_limits<T>::epsilon() * std::sqrt(k);  // terms of at most 1
  for (const int threads : {1, 2}) {
    for (const bool deterministic : {false, true}) {
      const CpuStream stream(threads, deterministic);
      for (int layout = 0; layout < 4; ++layout) {
        const bool at = layout & 1, bt = layout & 2;
        const std::int64_t as = (at ? m : k) + gap, bs = (bt ? k : n) + gap, cs = n + gap;
        const auto a = waves<T>((at ? k : m) * as, 0.1), b = waves<T>((bt ? n : k) * bs, 1.0);
        std::vector<T> c(static_cast<std::size_t>(m * cs), T{7});
        gemm(stream, m, n, k, {a.data(), as, at}, {b.data(), bs, bt}, T{0}, c.data(), cs);
        gemm(stream, m, n, k, {a.data(), as, at}, {b.data(), bs, bt}, T{1}, c.data(), cs);
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < n; ++j) {
            double sum = 0.0;
            for (std::int64_t l = 0; l < k; ++l) {
              sum += static_cast<double>(at ? a[l * as + i] : a[i * as + l]) * (bt ? b[j * bs + l] : b[l * bs + j]);
            }
            ASSERT_NEAR(c[i * cs + j], 2 * sum, 2 * tolerance);
          }
          for (std::int64_t j = n; j < cs; ++j) ASSERT_EQ(c[i * cs + j], T{7});
        }
      }
    }
  }
}

TYPED_TEST(Gemm, DoesNotReadWhatItReplaces) {
  using T = TypeParam;
  for (const std::int64_t side : {3, 16, 61, 301}) {
    const auto a = waves<T>(side * side, 0.2), b = waves<T>(side * side, 0.9);
    std::vector<T> c(static_cast<std::size_t>(side * side), std::numeric_limits<T>::quiet_NaN());
    gemm(CpuStream(1), side, side, side, {a.data(), side}, {b.data(), side}, T{0}, c.data(), side);
    for (const T value : c) ASSERT_TRUE(std::isfinite(value)) << side;
  }
}

// Where a matrix begins in memory does not matter.
TYPED_TEST(Gemm, BitsDoNotDependOnAlignment) {
  using T = TypeParam;
  for (const std::int64_t side : {5, 33, 129}) {
    const auto size = static_cast<std::size_t>(side * side);
    const auto values = waves<T>(side * side, 0.4);
    std::vector<T> expected(size), room(3 * size + 64);
    gemm(CpuStream(1), side, side, side, {values.data(), side}, {values.data(), side}, T{0}, expected.data(), side);
    for (const std::size_t shift : {1, 3, 7}) {
      T* const a = room.data() + shift;
      T* const c = a + size + shift;
      std::copy(values.begin(), values.end(), a);
      gemm(CpuStream(1), side, side, side, {a, side}, {a, side}, T{0}, c, side);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), c)) << side << " shifted by " << shift;
    }
  }
}

TYPED_TEST(Gemm, DeterministicBitsDoNotDependOnTheThreads) {
  using T = TypeParam;
  constexpr std::int64_t side = 301;
  const auto a = waves<T>(side * side, 0.2), b = waves<T>(side * side, 0.9);
  std::vector<T> one(side * side), two(side * side);
  gemm(CpuStream(1, true), side, side, side, {a.data(), side}, {b.data(), side}, T{0}, one.data(), side);
  gemm(CpuStream(2, true), side, side, side, {a.data(), side}, {b.data(), side}, T{0}, two.data(), side);
  EXPECT_EQ(one, two);
}

}  // namespace
}  // namespace chiasm
