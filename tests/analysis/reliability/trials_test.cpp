// SPDX-License-Identifier: Apache-2.0
#include "analysis/reliability/trials.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "analysis/reliability/spearman_brown.h"
#include "analysis/reliability/split_half.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/random_tensor.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One unit, five stimuli, four trials: spec/neural_analysis.md section 12.
Tensor spec_trials() {
  const std::vector<double> by_trial{1, 2, 3, 4, 5, 2, 1, 4, 3, 6, 0, 3, 2, 5, 4, 1, 1, 5, 4, 7};
  Tensor responses(Spec{DType::kFloat64, {1, 5, 4}});
  for (std::size_t i = 0; i < 20; ++i) responses.values<double>()[i % 5 * 4 + i / 5] = by_trial[i];
  return responses;
}

TEST(SpearmanBrown, GivesTheValuesOfTheSpec) {
  for (const auto& [r, sb] :
       {std::pair{0.3, 0.4615384615}, {0.5, 0.6666666667}, {0.75, 0.8571428571}, {0.9, 0.9473684211}, {-0.2, -0.5}}) {
    EXPECT_NEAR(spearman_brown(r), sb, 5e-11);  // ten decimals are given
  }
}

// Four trials have three pairs of halves; every draw is one of them, all are drawn, and equally often.
TEST(SplitHalf, DrawsTheHalvesOfTheSpec) {
  const Trials trials("spec", spec_trials());
  const CpuStream stream(1);
  const double rho[] = {.9321464080, .6781339318, .9643959373}, sb[] = {.9648817544, .8082000118, .9818753124};
  int drawn[3] = {};
  constexpr int kDraws = 3000;
  double sum = 0.0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const TrialHalves halves = trials.halves(7, static_cast<std::uint32_t>(draw));
    const double r = [&] {
      double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
      for (int i = 0; i < 5; ++i) {
        const double x = halves.first(i, 0), y = halves.second(i, 0);
        a += x, b += y, aa += x * x, bb += y * y, ab += x * y;
      }
      return (ab - a * b / 5) / std::sqrt((aa - a * a / 5) * (bb - b * b / 5));
    }();
    int which = -1;
    for (int i = 0; i < 3; ++i) {
      if (std::abs(r - rho[i]) < 1e-9) which = i;
    }
    ASSERT_GE(which, 0) << r;
    ++drawn[which];
    sum += sb[which];
  }
  for (const int count : drawn) EXPECT_NEAR(count, kDraws / 3, 5 * std::sqrt(kDraws * 2 / 9.0));  // 5 s.d.
  const SplitHalf reliability = split_half(stream, trials, kDraws, 7);
  EXPECT_NEAR(reliability.reliability[0][0], sum / kDraws, 1e-9);
  EXPECT_NEAR(reliability.reliability[0][0], .9183190263, 0.01);  // 5 s.e. of the mean of 3000 draws
  EXPECT_EQ(reliability.undefined, 0);
}

TEST(Trials, SynchronisedHalvesShareTheirTrialsAcrossStimuliAndUnits) {
  // The response is the index of the trial, so that means say which trials a half holds.
  Tensor responses(Spec{DType::kFloat32, {3, 20, 5}});
  for (std::size_t i = 0; i < 300; ++i) responses.values<float>()[i] = std::ldexp(1.0F, static_cast<int>(i % 5));
  const Trials trials("a", responses);
  EXPECT_EQ(trials.halving(), Halving::kSynchronised);
  std::set<double> seen;
  for (std::uint32_t draw = 0; draw < 60; ++draw) {
    const TrialHalves halves = trials.halves(1, draw);
    seen.insert(halves.first(0, 0));
    for (std::int64_t i = 0; i < 20; ++i) {
      for (std::int64_t u = 0; u < 3; ++u) {
        ASSERT_EQ(halves.first(i, u), halves.first(0, 0));
        ASSERT_DOUBLE_EQ(halves.first(i, u) * 2 + halves.second(i, u) * 3, 31.0);
      }
    }
  }
  EXPECT_EQ(seen.size(), 10);  // every choice of 2 of 5
  const auto first_halves = [](const Trials& of, std::uint64_t seed) {
    std::vector<double> halves;
    for (std::uint32_t draw = 0; draw < 20; ++draw) halves.push_back(of.halves(seed, draw).first(0, 0));
    return halves;
  };
  EXPECT_EQ(first_halves(trials, 1), first_halves(trials, 1));
  EXPECT_NE(first_halves(trials, 1), first_halves(trials, 2));
  EXPECT_NE(first_halves(trials, 1), first_halves(Trials("b", responses), 1));
}

TEST(Trials, MissingTrialsLeaveHalvesOfEqualSize) {
  Tensor responses(Spec{DType::kFloat64, {1, 30, 7}});
  for (std::size_t i = 0; i < 210; ++i) {
    // Stimulus i has trials 0 to i % 8 - 1: none at all, for some.
    responses.values<double>()[i] = i % 7 < i / 7 % 8 ? std::ldexp(1.0, static_cast<int>(i % 7)) : kNaN;
  }
  const Trials trials("a", responses);
  EXPECT_EQ(trials.halving(), Halving::kPerStimulus);
  std::set<double> differences;
  for (std::uint32_t draw = 0; draw < 20; ++draw) {
    const TrialHalves halves = trials.halves(1, draw);
    for (std::int64_t i = 0; i < 30; ++i) {
      const std::int64_t present = i % 8;
      if (present < 2) {
        EXPECT_TRUE(std::isnan(halves.first(i, 0)) && std::isnan(halves.second(i, 0)));
        continue;
      }
      // As integers, each half's sum has as many bits as it has trials, and they share none.
      const auto half = static_cast<double>(present / 2);
      const auto one = static_cast<unsigned>(std::lround(halves.first(i, 0) * half));
      const auto two = static_cast<unsigned>(std::lround(halves.second(i, 0) * half));
      EXPECT_EQ(std::popcount(one), present / 2);
      EXPECT_EQ(std::popcount(two), present / 2);
      EXPECT_EQ(one & two, 0U);
      EXPECT_LT(one | two, 1U << present);
    }
    differences.insert(halves.first(7, 0) - halves.first(15, 0));
  }
  EXPECT_GT(differences.size(), 3);  // stimuli are shuffled apart from each other
  EXPECT_TRUE(std::isnan(trials.means()(8, 0)));
  EXPECT_EQ(trials.means()(3, 0), 7.0 / 3.0);
  EXPECT_GT(split_half(CpuStream(1), trials, 4, 0).undefined, 0);
}

TEST(Trials, BinsAreRowsBesideEachOther) {
  const Tensor responses = test::random_tensor(DType::kFloat64, {4, 6, 5, 3}, 1);
  const Trials trials("a", responses, {3, 1});
  EXPECT_EQ(trials.rows(), 18);
  double sum = 0.0;
  for (int k = 0; k < 5; ++k) sum += responses.values<double>()[((3 * 6 + 2) * 5 + k) * 3 + 1];
  EXPECT_NEAR(trials.means()(2 * 3 + 1, 0), sum / 5, 1e-15);
  const Trials averaged = trials.bins_averaged(1, 2);
  EXPECT_EQ(averaged.bins(), 1);
  for (std::int64_t i = 0; i < 6; ++i) {
    for (std::int64_t u = 0; u < 2; ++u) {
      EXPECT_NEAR(averaged.means()(i, u), (trials.means()(i * 3 + 1, u) + trials.means()(i * 3 + 2, u)) / 2, 1e-15);
    }
  }
  const SplitHalf halves = split_half(CpuStream(1), trials, 3, 0);
  EXPECT_EQ(halves.reliability.size(), 3);
  EXPECT_EQ(halves.reliability[2].size(), 2);
}

TEST(Trials, RefusesWhatIsNoRecording) {
  EXPECT_THROW(Trials("a", test::random_tensor(DType::kFloat32, {4, 6}, 1)), ShapeError);
  EXPECT_THROW(Trials("a", Tensor(Spec{DType::kInt32, {4, 6, 2}})), ShapeError);
  EXPECT_THROW(Trials("a", test::random_tensor(DType::kFloat32, {4, 6, 2}, 1), {4}), InputError);
  Tensor infinite = test::random_tensor(DType::kFloat32, {4, 6, 2}, 1);
  infinite.values<float>()[7] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(Trials("a", infinite), InputError);
  EXPECT_THROW(split_half(CpuStream(1), Trials("a", Tensor(Spec{DType::kFloat32, {4, 6, 1}})), 3, 0), InputError);
  EXPECT_THROW(parse_halving("both"), InputError);
}

TEST(SplitHalf, DoesNotDependOnTheThreads) {
  const Trials trials("a", test::random_tensor(DType::kFloat32, {7, 30, 6, 2}, 3));
  EXPECT_EQ(split_half(CpuStream(1), trials, 33, 5).reliability, split_half(CpuStream(2), trials, 33, 5).reliability);
}

// 50 V4 neurons, 640 images, 6 to 10 repeats: the values of the data's README, which come from 20 halves and are given
// to three decimals. The mean of 20 draws varies by 0.0015 (standard deviation over repetitions).
TEST(SplitHalf, MacaqueV4) {
  const std::string path = test::shared_data("macaque_v4/responses_raw_210325.npy");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const SplitHalf reliability = split_half(CpuStream(2), Trials("210325", read_npy(path)), 900, 0);
  std::vector<double> units = reliability.reliability[0];
  std::ranges::sort(units);
  EXPECT_NEAR((units[24] + units[25]) / 2, 0.752, 0.005);
  EXPECT_NEAR(units.front(), 0.510, 0.005);
  EXPECT_NEAR(units.back(), 0.925, 0.005);
}

}  // namespace
}  // namespace chiasm
