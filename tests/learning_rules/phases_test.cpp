// SPDX-License-Identifier: Apache-2.0
// Sections 7.2 and 7.3 of spec/learning_rules.md: which steps do what, at which rates, with which coefficients.
#include "learning_rules/phases.h"

#include <gtest/gtest.h>

#include <cmath>

#include "learning_rules/coefficient.h"

namespace chiasm::test {
namespace {

Schedule schedule(double base) {
  return {.kind = Schedule::Kind::kSteps, .base = base, .boundaries = {30, 60, 80}, .warmup_epochs = 6.0};
}

TEST(Phases, RatesOfTheScheduleTable) {
  const PhasePlan plan{.alternate = true, .delay_epochs = 1.0};
  const double epochs[] = {0, 1, 2, 7, 13, 60, 61, 121, 161};
  const double task[] = {0, 0, 0.01041667, 0.0625, 0.125, 0.125, 0.0125, 0.00125, 0.000125};
  const double align[] = {0.0098, 0.0098, 0.0098, 0.0098, 0.0098, 0.0098, 0.00098, 9.8e-5, 9.8e-6};
  for (std::size_t i = 0; i < std::size(epochs); ++i) {
    // 0.125 / 12 is given to eight decimals.
    EXPECT_NEAR(plan.task_rate(schedule(0.125), epochs[i]), task[i], task[i] == 0.01041667 ? 5e-9 : 1e-9) << epochs[i];
    EXPECT_NEAR(plan.alignment_rate(schedule(0.0098), epochs[i]), align[i], 1e-9) << epochs[i];
  }
  EXPECT_NEAR(plan.task_rate(schedule(0.125), 2.0), 0.125 / 12.0, 1e-15);
  EXPECT_EQ(plan.task_rate(schedule(0.125), 0.999), 0.0);
}

// The table at the steps of a real training, where epochs are quotients: drops come at the step they belong to.
TEST(Phases, DropsComeAtTheirStep) {
  const PhasePlan plan{.alternate = true, .delay_epochs = 1.0};
  constexpr std::int64_t kPerEpoch = 5004;
  const auto at = [&](std::int64_t step) { return static_cast<double>(step) / kPerEpoch; };
  for (const std::int64_t drop : {61, 121, 161}) {
    const double before = plan.task_rate(schedule(0.125), at(drop * kPerEpoch - 1));
    EXPECT_NEAR(plan.task_rate(schedule(0.125), at(drop * kPerEpoch)) / before, 0.1, 1e-12);
    const double align = plan.alignment_rate(schedule(0.0098), at(drop * kPerEpoch - 1));
    EXPECT_NEAR(plan.alignment_rate(schedule(0.0098), at(drop * kPerEpoch)) / align, 0.1, 1e-12);
  }
}

TEST(Phases, WithoutDelayBothRatesWarmUp) {
  for (const bool alternate : {false, true}) {
    const PhasePlan plan{.alternate = alternate};
    const double stretch = alternate ? 2.0 : 1.0;
    for (const double epoch : {0.0, 1.5, 6.0, 29.9, 30.0, 75.0, 80.0}) {
      const double expected = epoch < 6 ? epoch / 6 : epoch < 30 ? 1.0 : epoch < 60 ? 0.1 : epoch < 80 ? 0.01 : 0.001;
      EXPECT_NEAR(plan.task_rate(schedule(1.0), stretch * epoch), expected, 1e-12);
      EXPECT_NEAR(plan.alignment_rate(schedule(1.0), stretch * epoch), expected, 1e-12);
    }
  }
}

TEST(Phases, AlignmentIsAloneDuringTheDelayThenTakesTurns) {
  constexpr std::int64_t kPerEpoch = 5;
  const auto pattern = [](const PhasePlan& plan, std::int64_t steps) {
    std::string text;
    for (std::int64_t k = 0; k < steps; ++k) {
      const Phase phase = plan.at(k, kPerEpoch);
      text += phase == Phase::kBoth ? 'b' : phase == Phase::kTask ? 't' : 'a';
    }
    return text;
  };
  EXPECT_EQ(pattern({}, 6), "bbbbbb");
  EXPECT_EQ(pattern({.alternate = true}, 6), "atatat");
  EXPECT_EQ(pattern({.delay_epochs = 1.0}, 8), "aaaaabbb");
  // The counter goes on during the delay: step 5 is odd, so of the task.
  EXPECT_EQ(pattern({.alternate = true, .delay_epochs = 1.0}, 10), "aaaaatatat");
  EXPECT_EQ(pattern({.alternate = true, .delay_epochs = 2.0}, 14), "aaaaaaaaaaatat");
}

TEST(Phases, StepsOfPublishedRuns) {
  constexpr std::int64_t kImages = 1'281'167;
  EXPECT_EQ((PhasePlan{.alternate = true}).total_steps(100, kImages / 256), 1'000'800);  // IA, but for its delay
  EXPECT_EQ((PhasePlan{.alternate = true, .delay_epochs = 2.0}).total_steps(100, kImages / 2048), 126'250);  // WM
  EXPECT_EQ(PhasePlan{}.total_steps(90, kImages / 256), 450'360);                                            // SA, AA
}

TEST(Phases, UpdatesAreCounted) {
  for (const std::int64_t per_epoch : {1, 4, 5}) {
    for (const double delay : {0.0, 1.0, 1.4, 3.0}) {
      for (const bool alternate : {false, true}) {
        for (const auto off : {PhasePlan::OffPhase::kCoast, PhasePlan::OffPhase::kFreeze}) {
          const PhasePlan plan{.alternate = alternate, .delay_epochs = delay, .off_phase = off};
          std::int64_t task = 0, alignment = 0;
          for (std::int64_t k = 0; k < 40; ++k) {
            const bool coasts = off == PhasePlan::OffPhase::kCoast;
            task += coasts || plan.at(k, per_epoch) != Phase::kAlignment ? 1 : 0;
            alignment += coasts || plan.at(k, per_epoch) != Phase::kTask ? 1 : 0;
            ASSERT_EQ(plan.task_updates(k, per_epoch), task) << k << " delay " << delay << " of " << per_epoch;
            ASSERT_EQ(plan.alignment_updates(k, per_epoch), alignment)
                << k << " delay " << delay << " of " << per_epoch;
          }
        }
      }
    }
  }
}

TEST(Coefficients, GoOverTraining) {
  EXPECT_TRUE(Coefficient{.value = 3.0}.constant());
  EXPECT_EQ(Coefficient{.value = 3.0}.at(17.0, 100.0), 3.0);

  const Coefficient part{.value = 2.0, .start = 0.25, .stop = 0.5};
  EXPECT_FALSE(part.constant());
  for (const auto& [epoch, value] : {std::pair{0.0, 0.0}, {24.9, 0.0}, {25.0, 2.0}, {49.9, 2.0}, {50.0, 0.0}}) {
    EXPECT_EQ(part.at(epoch, 100.0), value) << epoch;
  }
  EXPECT_EQ((Coefficient{.value = 2.0, .start = 0.25}).at(100.0, 100.0), 2.0);  // the end of training belongs to it

  const Coefficient linear{.value = 2.0, .drift = Coefficient::Drift::kLinear, .drift_rate = -0.1};
  EXPECT_FALSE(linear.constant());
  EXPECT_NEAR(linear.at(5.0, 100.0), 1.5, 1e-15);
  const Coefficient exponential{.value = 2.0, .drift = Coefficient::Drift::kExponential, .drift_rate = 0.1};
  EXPECT_NEAR(exponential.at(5.0, 100.0), 2.0 * std::exp(0.5), 1e-15);

  const Coefficient cycle{.value = 2.0, .cycle_epochs = 4.0};
  EXPECT_FALSE(cycle.constant());
  for (const auto& [epoch, value] : {std::pair{0.0, 0.0}, {1.0, 1.0}, {2.0, 2.0}, {3.0, 1.0}, {4.0, 0.0}, {9.0, 1.0}}) {
    EXPECT_NEAR(cycle.at(epoch, 100.0), value, 1e-15) << epoch;
  }
}

}  // namespace
}  // namespace chiasm::test
