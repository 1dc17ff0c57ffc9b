// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/solution_time.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const std::vector<double> kTimes{70, 80, 90, 100, 110};

// spec/neural_analysis.md section 12.
TEST(SolutionTime, AgreesWithTheSpecification) {
  EXPECT_DOUBLE_EQ(solution_time(std::vector{1.2, 1.8}, std::vector{100.0, 110.0}, 1.5), 105.0);
}

TEST(SolutionTime, IsTheFirstCrossing) {
  const std::vector<double> scores{0.0, 1.0, 3.0, 0.5, 4.0};
  EXPECT_DOUBLE_EQ(solution_time(scores, kTimes, 2.0), 85.0);
  EXPECT_DOUBLE_EQ(solution_time(scores, kTimes, 3.0), 90.0);  // at the threshold counts
  EXPECT_DOUBLE_EQ(solution_time(scores, kTimes, 3.5), 100.0 + 10.0 * 3.0 / 3.5);
  EXPECT_EQ(solution_time(scores, kTimes, -1.0), 70.0);  // the very first bin
  EXPECT_EQ(solution_time(scores, kTimes, 0.0), 70.0);
  EXPECT_TRUE(std::isnan(solution_time(scores, kTimes, 4.5)));
  EXPECT_TRUE(std::isnan(solution_time(scores, kTimes, kNaN)));
  EXPECT_TRUE(std::isnan(solution_time({}, {}, 1.0)));
}

TEST(SolutionTime, BrainScoreStartsFromTheLargestBelow) {
  const std::vector<double> scores{0.0, 1.0, 0.5, 3.0, 0.0};
  EXPECT_DOUBLE_EQ(solution_time(scores, kTimes, 2.0), 90.0 + 10.0 * 1.5 / 2.5);
  EXPECT_DOUBLE_EQ(solution_time(scores, kTimes, 2.0, EarlierBin::kLargestBelow), 80.0 + 20.0 * 1.0 / 2.0);
  // Of equals the first.
  EXPECT_DOUBLE_EQ(solution_time(std::vector{1.0, 1.0, 0.0, 3.0, 0.0}, kTimes, 2.0, EarlierBin::kLargestBelow), 85.0);
}

TEST(SolutionTime, BinsWithoutAScoreArePassedOver) {
  EXPECT_DOUBLE_EQ(solution_time(std::vector{1.0, kNaN, 3.0, 0.0, 0.0}, kTimes, 2.0), 80.0);
  EXPECT_EQ(solution_time(std::vector{kNaN, 3.0, 3.0, 0.0, 0.0}, kTimes, 2.0), 80.0);
  EXPECT_TRUE(std::isnan(solution_time(std::vector<double>(5, kNaN), kTimes, 2.0)));
}

TEST(SolutionTime, OfManyImages) {
  const Matrix<double> scores(2, 3, {0, 1, 2, 0, 0, 1});
  const std::vector<double> times{0, 10, 20};
  EXPECT_EQ(solution_times(scores, times, std::vector{1.5, 0.5}), (std::vector<double>{15, 15}));
  EXPECT_THROW(solution_times(scores, times, std::vector{1.5}), InputError);
  EXPECT_THROW(solution_times(scores, std::vector<double>{0, 10}, std::vector{1.5, 0.5}), InputError);
  EXPECT_THROW(solution_times(scores, std::vector<double>{0, 10, 10}, std::vector{1.5, 0.5}), InputError);
}

// spec/neural_analysis.md section 12.
TEST(SolutionTime, ConsistencyIsSpearmanOverImagesSolvedByBoth) {
  const std::vector<double> a{100, 110, 130, 95, 160}, b{105, 112, 125, 118, 150};
  const Consistency all = solution_time_consistency(a, b);
  EXPECT_NEAR(all.rho, 0.7, 1e-14);
  EXPECT_EQ(all.images, 5);
  const Consistency some = solution_time_consistency(std::vector<double>{kNaN, 100, 110, 130, 95, 160, 1},
                                                     std::vector<double>{1, 105, 112, 125, 118, 150, kNaN});
  EXPECT_EQ(some.rho, all.rho);
  EXPECT_EQ(some.images, 5);
  EXPECT_TRUE(std::isnan(solution_time_consistency(std::vector{1.0, kNaN}, std::vector{1.0, 2.0}).rho));
  EXPECT_THROW(solution_time_consistency(a, std::vector{1.0}), InputError);
}

}  // namespace
}  // namespace chiasm
