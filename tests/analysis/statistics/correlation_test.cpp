// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace chiasm {
namespace {

// The one-to-one vector of spec/neural_analysis.md section 12: three units against one target.
TEST(Correlation, OfColumnsAgreesWithTheSpec) {
  const Matrix<double> units(5, 3, {1, 2, 0, 2, 1, 1, 3, 5, 0, 4, 3, 2, 5, 9, 1});
  Matrix<double> target(5, 3);
  const std::vector<double> values{1, 2.5, 2, 4.5, 4};
  for (std::int64_t i = 0; i < 5; ++i) std::ranges::fill(target.row(i), values[static_cast<std::size_t>(i)]);
  const std::vector<double> r = column_pearson<double>(units, target);
  EXPECT_NEAR(r[0], 0.8781140799, 5e-11);  // ten decimals are given
  EXPECT_NEAR(r[1], 0.4390570400, 5e-11);
  EXPECT_NEAR(r[2], 0.8919702997, 5e-11);
}

TEST(Correlation, IsNotANumberWhereItIsNotDefined) {
  const std::vector<double> rising{1, 2, 3, 4}, constant(4, 0.1), none(4, std::numeric_limits<double>::quiet_NaN()),
      one{1};
  EXPECT_TRUE(std::isnan(pearson<double>(rising, constant)));  // although the mean of 0.1s is not exactly 0.1
  EXPECT_TRUE(std::isnan(pearson<double>(rising, none)));
  EXPECT_TRUE(std::isnan(pearson<double>(one, one)));
  EXPECT_EQ(pearson<double>(rising, rising), 1.0);
  std::vector<double> tiny, huge;
  for (const double v : rising) {
    tiny.push_back(v * 1e-120);
    huge.push_back(v * 1e120);
  }
  EXPECT_NEAR(pearson<double>(tiny, huge), 1.0, 1e-15);
  EXPECT_NEAR(pearson<double>(huge, huge), 1.0, 1e-15);
}

// A large mean costs a two-pass sum nothing that it does not cost the values themselves.
TEST(Correlation, KeepsItsDigitsFarFromZero) {
  std::vector<double> a, b, far;
  for (int i = 0; i < 100; ++i) {
    a.push_back(std::sin(i));
    b.push_back(std::cos(0.7 * i));
    far.push_back(a.back() + 1e6);
  }
  EXPECT_NEAR(pearson<double>(far, b), pearson<double>(a, b), 1e-9);  // 1e6 * epsilon
}

}  // namespace
}  // namespace chiasm
