// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/two_way_anova.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.h"
#include "tests/support/golden.h"
#include "tests/support/run.h"

namespace chiasm {
namespace {

using test::list;

// The oracle fits each model by an orthogonal decomposition; sums of squares are differences of about 1e2.
TEST(TwoWayAnova, AgreesWithComparisonsOfModels) {
  const test::Golden golden("rdm_regression");
  for (const std::string name : {"balanced", "unbalanced"}) {
    const auto a = list<std::int32_t>(golden.at(name + "/a")), b = list<std::int32_t>(golden.at(name + "/b"));
    const auto y = list<double>(golden.at(name + "/y"));
    for (const auto& [key, type] : {std::pair{"/two", AnovaType::kTwo}, {"/three", AnovaType::kThree}}) {
      SCOPED_TRACE(name + key);
      const TwoWayAnova anova = two_way_anova(a, b, y, type);
      std::vector<double> rows;
      for (const AnovaEffect& e : {anova.first, anova.second, anova.interaction}) {
        rows.insert(rows.end(), {e.squares, static_cast<double>(e.freedom), e.f, e.p});
      }
      const auto expected = list<double>(golden.at(name + key));
      for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_NEAR(rows[i], expected[i], 1e-10 * expected[i]) << i;
      const auto residual = list<double>(golden.at(name + "/residual"));
      EXPECT_NEAR(anova.residual_squares, residual[0], 1e-10 * residual[0]);
      EXPECT_EQ(static_cast<double>(anova.residual_freedom), residual[1]);
    }
  }
  const auto squares = list<double>(golden.at("unbalanced/two")), other = list<double>(golden.at("unbalanced/three"));
  EXPECT_GT(std::abs(squares[0] - other[0]), 1e-3);  // the case tells the types apart
}

// 2 x 2 with two observations each, by hand: means 1.5, 3.5, 5.5, 11.5 of pairs that differ by 1.
TEST(TwoWayAnova, OfASmallTableByHand) {
  const int a[] = {4, 4, 4, 4, 9, 9, 9, 9}, b[] = {0, 0, 1, 1, 0, 0, 1, 1};  // levels may leave out numbers
  const double y[] = {1, 2, 3, 4, 5, 6, 11, 12};
  const TwoWayAnova anova = two_way_anova(a, b, y);
  EXPECT_NEAR(anova.first.squares, 72, 1e-12);
  EXPECT_NEAR(anova.second.squares, 32, 1e-12);
  EXPECT_NEAR(anova.interaction.squares, 8, 1e-12);
  EXPECT_NEAR(anova.residual_squares, 2, 1e-12);
  EXPECT_EQ(anova.residual_freedom, 4);
  EXPECT_NEAR(anova.interaction.f, 16, 1e-10);
  // One numerator degree of freedom: p = P(|t| > 4) with four, which has the closed form 1 - s (1 + (1 - s^2) / 2),
  // s = t / sqrt(t^2 + 4).
  const double s = 4 / std::sqrt(20.0);
  EXPECT_NEAR(anova.interaction.p, 1 - s * (1 + (1 - s * s) / 2), 1e-12);
}

TEST(TwoWayAnova, ReportsWhatItCannotTest) {
  const int a[] = {0, 0, 1, 1}, b[] = {0, 1, 0, 1};
  const double nan = std::nan("");
  // One observation a pair: no freedom is left for the residual.
  const TwoWayAnova full = two_way_anova(a, b, std::vector<double>{1, 2, 3, 5});
  EXPECT_EQ(full.residual_freedom, 0);
  EXPECT_TRUE(std::isnan(full.first.f) && std::isnan(full.first.p));
  EXPECT_NEAR(full.first.squares, 6.25, 1e-12);
  // An empty pair: type II has no interaction left to test, type III refuses.
  const TwoWayAnova missing = two_way_anova(a, b, std::vector<double>{1, 2, 3, nan});
  EXPECT_EQ(missing.left_out, 1);
  EXPECT_EQ(missing.interaction.freedom, 0);
  EXPECT_THROW(two_way_anova(a, b, std::vector<double>{1, 2, 3, nan}, AnovaType::kThree), InputError);
  // One level of a factor has no effect.
  const int same[] = {3, 3, 3, 3}, pairs[] = {0, 0, 1, 1};
  const TwoWayAnova one = two_way_anova(same, pairs, std::vector<double>{1, 2, 3, 5});
  EXPECT_EQ(one.first.freedom, 0);
  EXPECT_TRUE(std::isnan(one.first.f));
  EXPECT_NEAR(one.second.f, (6.25 / 1) / (2.5 / 2), 1e-12);
  // Nothing varies, and no noise.
  EXPECT_TRUE(std::isnan(two_way_anova(same, pairs, std::vector<double>{2, 2, 2, 2}).second.f));
  EXPECT_EQ(two_way_anova(same, pairs, std::vector<double>{2, 2, 3, 3}).second.p, 0.0);
  EXPECT_THROW(two_way_anova(a, b, std::vector<double>{1, 2, 3}), InputError);
  EXPECT_THROW(two_way_anova({}, {}, {}), InputError);
}

}  // namespace
}  // namespace chiasm
