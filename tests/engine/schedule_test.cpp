// SPDX-License-Identifier: Apache-2.0
#include "engine/schedule.h"

#include <gtest/gtest.h>

namespace chiasm::test {
namespace {

TEST(Schedule, StepsFallAtTheirBoundaries) {
  const Schedule s{.kind = Schedule::Kind::kSteps, .base = 0.1, .boundaries = {30, 60, 80}, .factors = {0.1}};
  EXPECT_DOUBLE_EQ(s.rate_at(0), 0.1);
  EXPECT_DOUBLE_EQ(s.rate_at(29.99), 0.1);
  EXPECT_DOUBLE_EQ(s.rate_at(30), 0.01);
  EXPECT_DOUBLE_EQ(s.rate_at(85), 0.1 * 0.1 * 0.1 * 0.1);
}

// AlexNet's rates (spec/convrnn.md 7.1).
TEST(Schedule, EveryBoundaryMayHaveItsFactor) {
  const Schedule s{
      .kind = Schedule::Kind::kSteps, .base = 0.01, .boundaries = {30, 60, 80}, .factors = {0.5, 0.2, 0.5}};
  EXPECT_DOUBLE_EQ(s.rate_at(29.9), 0.01);
  EXPECT_DOUBLE_EQ(s.rate_at(30), 0.005);
  EXPECT_DOUBLE_EQ(s.rate_at(60), 0.001);
  EXPECT_DOUBLE_EQ(s.rate_at(80), 0.0005);
}

TEST(Schedule, CosineGoesFromBaseToFloor) {
  const Schedule s{.kind = Schedule::Kind::kCosine, .base = 1.0, .epochs = 12, .floor = 0.2, .warmup_epochs = 2};
  EXPECT_DOUBLE_EQ(s.rate_at(2), 1.0);
  EXPECT_NEAR(s.rate_at(7), 0.6, 1e-12);  // half way between
  EXPECT_DOUBLE_EQ(s.rate_at(12), 0.2);
  EXPECT_DOUBLE_EQ(s.rate_at(100), 0.2);
}

TEST(Schedule, WarmUpIsLinear) {
  const Schedule s{.base = 0.4, .warmup_epochs = 4, .warmup_start = 0.5};
  EXPECT_DOUBLE_EQ(s.rate_at(0), 0.2);
  EXPECT_DOUBLE_EQ(s.rate_at(2), 0.3);
  EXPECT_DOUBLE_EQ(s.rate_at(4), 0.4);
}

}  // namespace
}  // namespace chiasm::test
