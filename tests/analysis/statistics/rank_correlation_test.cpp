// SPDX-License-Identifier: Apache-2.0
// Ranks and their correlations.
#include "analysis/statistics/rank_correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/statistics/rank.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"

namespace chiasm::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Ranks, ShareTiesAndLeaveNaN) {
  const std::vector<double> rank = ranks(std::vector{3.0, 1.0, kNaN, 3.0, -2.0, 3.0, 1.0});
  const std::vector expected{5.0, 2.5, kNaN, 5.0, 1.0, 5.0, 2.5};
  for (std::size_t i = 0; i < rank.size(); ++i) {
    EXPECT_TRUE(rank[i] == expected[i] || (std::isnan(rank[i]) && std::isnan(expected[i]))) << i << ": " << rank[i];
  }
  EXPECT_EQ(tie_sizes(std::vector{3.0, 1.0, 3.0, -2.0, 3.0, 1.0}), (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(ranks({}).empty());
}

TEST(Ranks, TieWhatDiffersByRoundingAlone) {
  const double third = 1.0 / 3.0, sum = 0.1 + 0.2;
  ASSERT_NE(sum, 0.3);
  const std::vector<double> tied = tie_within_rounding(std::vector{sum, kNaN, 2.0 * third, 0.3, third + third + 1e-15});
  EXPECT_EQ(tied[0], 0.3);
  EXPECT_TRUE(std::isnan(tied[1]));
  EXPECT_EQ(tied[2], tied[4]);
  // What differs by more than rounding stays apart, and zero is not special.
  EXPECT_EQ(tie_within_rounding(std::vector{1.0, 1.0 + 1e-12, 1e-16, 0.0}), (std::vector{1.0, 1.0 + 1e-12, 0.0, 0.0}));
  EXPECT_EQ(tie_within_rounding(std::vector{1e-16, 0.0}), (std::vector{1e-16, 0.0}));
  // Values that were rounded before; and among many no more than eight steps tie.
  EXPECT_EQ(tie_within_rounding(std::vector{2.0, 1.0, 1.25}, 0.25), (std::vector{2.0, 1.0, 1.0}));
  std::vector<double> line(20);
  std::iota(line.begin(), line.end(), 0.0);
  const std::vector<double> parts = tie_within_rounding(line, 1.0);
  EXPECT_EQ(parts[8], 0.0);
  EXPECT_EQ(parts[9], 9.0);
  EXPECT_EQ(parts[19], 18.0);
}

TEST(RankCorrelation, AgreesWithSciPy) {
  const Golden golden("significance");
  for (const std::string name : {"smooth", "tied", "two"}) {
    const std::string base = "correlation/" + name;
    const auto a = golden.at(base + "/a").values<double>(), b = golden.at(base + "/b").values<double>();
    const auto expected = golden.at(base + "/values").values<double>();
    // Sums of whole numbers and halves are exact; what is left are roots and quotients, and SciPy's own rounding.
    EXPECT_NEAR(spearman(a, b), expected[0], 1e-14) << name;
    EXPECT_NEAR(kendall(a, b).a, expected[1], 1e-15) << name;
    EXPECT_NEAR(kendall(a, b).b, expected[2], 1e-15) << name;
    const std::vector<double> rank = ranks(a);
    EXPECT_TRUE(std::ranges::equal(rank, golden.at(base + "/ranks").values<double>())) << name;
  }
}

// The Spearman vector of spec/neural_analysis.md section 12.
TEST(RankCorrelation, AgreesWithTheSpec) {
  EXPECT_NEAR(spearman(std::vector<double>{100, 110, 130, 95, 160}, std::vector<double>{105, 112, 125, 118, 150}), 0.7,
              1e-15);
}

// Against a count of all pairs, of lengths around powers of two, where the merges are uneven.
TEST(RankCorrelation, CountsEveryPair) {
  for (const std::int64_t n : {2, 3, 7, 8, 9, 31, 33, 100}) {
    std::vector<double> a = hashed("a" + std::to_string(n), n), b = hashed("b" + std::to_string(n), n);
    for (auto* values : {&a, &b}) {
      for (double& value : *values) value = std::round(4.0 * value);  // many ties
    }
    double sum = 0, free_a = 0, free_b = 0, all = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double x = a[i] - a[j], y = b[i] - b[j];
        sum += x * y > 0 ? 1 : x * y < 0 ? -1 : 0;
        free_a += x != 0;
        free_b += y != 0;
        ++all;
      }
    }
    EXPECT_DOUBLE_EQ(kendall(a, b).a, sum / all) << n;
    if (free_a * free_b == 0) continue;
    EXPECT_DOUBLE_EQ(kendall(a, b).b, sum / std::sqrt(free_a * free_b)) << n;
  }
}

TEST(RankCorrelation, IsNotANumberWhereItIsNotDefined) {
  const std::vector<double> rising{1, 2, 3}, constant(3, 0.1), missing{1, kNaN, 3}, one{1};
  for (const auto* side : {&constant, &missing}) {
    EXPECT_TRUE(std::isnan(spearman(rising, *side)));
    EXPECT_TRUE(std::isnan(kendall(rising, *side).b));
    EXPECT_TRUE(std::isnan(kendall(*side, rising).b));
  }
  EXPECT_EQ(kendall(rising, constant).a, 0.0);
  EXPECT_TRUE(std::isnan(kendall(rising, missing).a));
  EXPECT_TRUE(std::isnan(spearman(one, one)) && std::isnan(kendall(one, one).a) && std::isnan(kendall({}, {}).b));
  EXPECT_EQ(spearman(rising, rising), 1.0);
  EXPECT_EQ(kendall(rising, rising).b, 1.0);
}

}  // namespace
}  // namespace chiasm::test
