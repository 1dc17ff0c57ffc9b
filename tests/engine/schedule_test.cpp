// SPDX-License-Identifier: Apache-2.0
#include "engine/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

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

TEST(Schedule, PolynomialFallsAsAPower) {
  const Schedule s{
      .kind = Schedule::Kind::kPolynomial, .base = 1.0, .epochs = 12, .floor = 0.2, .power = 2.0, .warmup_epochs = 2};
  EXPECT_DOUBLE_EQ(s.rate_at(2), 1.0);
  EXPECT_DOUBLE_EQ(s.rate_at(7), 0.2 + 0.8 * 0.25);
  EXPECT_DOUBLE_EQ(s.rate_at(12), 0.2);
  EXPECT_DOUBLE_EQ(s.rate_at(13), 0.2);
}

TEST(Schedule, MayHoldForAnEpoch) {
  Schedule s{.kind = Schedule::Kind::kPolynomial, .base = 1.0, .epochs = 4, .follow = Schedule::Follow::kEpoch};
  EXPECT_DOUBLE_EQ(s.rate_at(0.9), 1.0);
  EXPECT_DOUBLE_EQ(s.rate_at(1.0), 0.75);
  // 7 of 5 steps after a delay of 0.4 epochs: one whole epoch, in floating point a little less.
  ASSERT_LT(7.0 / 5.0 - 0.4, 1.0);
  EXPECT_DOUBLE_EQ(s.rate_at(7.0 / 5.0 - 0.4), 0.75);
  s.follow = Schedule::Follow::kEpochEnd;
  EXPECT_DOUBLE_EQ(s.rate_at(0.0), 0.75);
  EXPECT_DOUBLE_EQ(s.rate_at(3.5), 0.0);
  const Schedule steps{
      .kind = Schedule::Kind::kSteps, .base = 1.0, .boundaries = {2}, .follow = Schedule::Follow::kEpochEnd};
  EXPECT_DOUBLE_EQ(steps.rate_at(1.9), 1.0);
  EXPECT_DOUBLE_EQ(steps.rate_at(2.0), 0.1);
}

// spec/mouse_vision.md 5.7, 5.8 and section 10, which prints nine digits at most.
TEST(Schedule, HasTheRatesOfTheMouseStudy) {
  struct Row {
    double epoch, rate;
  };
  const auto cosine = [](double base, double epochs) {
    return Schedule{
        .kind = Schedule::Kind::kCosine, .base = base, .epochs = epochs, .follow = Schedule::Follow::kEpochEnd};
  };
  Schedule simclr = cosine(4.8, 200);
  simclr.warmup_epochs = 10;
  simclr.warmup_start = 1e-4;
  for (const Row& row : {Row{0, 0.480432}, {4, 2.40024}, {9, 4.8}, {10, 4.79967193}, {104, 2.4}, {199, 0}}) {
    for (double part : {0.0, 0.37, 0.99}) EXPECT_NEAR(simclr.rate_at(row.epoch + part), row.rate, 5e-9) << row.epoch;
  }
  for (int e = 0; e < 200; ++e) {
    const double expected = e < 10 ? 4.8 * (1 - (1 - (e + 1) / 10.0) * (1 - 1e-4))
                                   : 4.8 / 2 * (1 + std::cos(std::numbers::pi * (e + 1 - 10) / (200 - 10)));
    EXPECT_NEAR(simclr.rate_at(e), expected, 4e-15) << e;  // a few units in the last place of 4.8
  }
  const Schedule moco = cosine(0.06, 200), simsiam = cosine(0.1, 100);
  for (const Row& row : {Row{0, 0.0599963}, {99, 0.03}}) EXPECT_NEAR(moco.rate_at(row.epoch), row.rate, 5e-9);
  for (const Row& row : {Row{0, 0.09997533}, {49, 0.05}}) EXPECT_NEAR(simsiam.rate_at(row.epoch), row.rate, 5e-9);
}

}  // namespace
}  // namespace chiasm::test
