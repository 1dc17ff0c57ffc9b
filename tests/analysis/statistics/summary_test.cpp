// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/summary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// spec/neural_analysis.md section 12.
TEST(Summary, AgreesWithTheSpec) {
  const Summary summary = summarise(std::vector<double>{1, 2, 4, 7});
  EXPECT_EQ(summary.count, 4);
  EXPECT_EQ(summary.dropped, 0);
  EXPECT_EQ(summary.mean, 3.5);
  EXPECT_EQ(summary.median, 3.0);
  EXPECT_NEAR(summary.sem, 1.3228756556, 1e-10);  // given to ten decimals, the last rounded wrongly
  EXPECT_DOUBLE_EQ(summary.sem, std::sqrt(7.0) / 2.0);
  EXPECT_DOUBLE_EQ(summary.sd, 2.0 * summary.sem);
}

TEST(Summary, DropsAndCountsWhatIsNotANumber) {
  const Summary all = summarise(std::vector<double>{7, 1, 4, 2}),
                some = summarise(std::vector{kNaN, 7., 1., 4., kNaN, 2.});
  EXPECT_EQ(some.count, 4);
  EXPECT_EQ(some.dropped, 2);
  EXPECT_EQ(some.median, all.median);
  EXPECT_EQ(some.mean, all.mean);
  EXPECT_EQ(some.sem, all.sem);
}

TEST(Summary, OfTooFewIsNotANumber) {
  const Summary none = summarise(std::vector{kNaN});
  EXPECT_EQ(none.count, 0);
  EXPECT_EQ(none.dropped, 1);
  EXPECT_TRUE(std::isnan(none.mean) && std::isnan(none.median) && std::isnan(none.sd) && std::isnan(none.sem));
  const Summary one = summarise(std::vector{0.1});
  EXPECT_EQ(one.median, 0.1);
  EXPECT_EQ(one.mean, 0.1);
  EXPECT_TRUE(std::isnan(one.sd) && std::isnan(one.sem));
}

TEST(Summary, KeepsItsDigits) {
  const Summary equal = summarise(std::vector<double>(10, 0.1));
  EXPECT_EQ(equal.mean, 0.1);
  EXPECT_EQ(equal.sd, 0.0);
  // Far from zero, exact values with an exact answer: the deviations are -1, 0, 1.
  const Summary far = summarise(std::vector{1e15, 1e15 + 1, 1e15 + 2});
  EXPECT_EQ(far.median, 1e15 + 1);
  EXPECT_EQ(far.sd, 1.0);
  const Summary infinite = summarise(std::vector{1.0, 2.0, std::numeric_limits<double>::infinity()});
  EXPECT_EQ(infinite.median, 2.0);
  EXPECT_TRUE(std::isnan(infinite.sd));
}

}  // namespace
}  // namespace chiasm
