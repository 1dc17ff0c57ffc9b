// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/platt.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/golden.h"

namespace chiasm {
namespace {

TEST(Platt, AgreesWithTheMinimumOfSciPy) {
  const test::Golden golden("behaviour");
  for (const std::string name : {"overlapping", "separated", "reversed"}) {
    std::vector<bool> positive;
    for (const std::uint8_t is : golden.at(name + "/positive").values<std::uint8_t>()) positive.push_back(is != 0);
    const Sigmoid sigmoid = fit_sigmoid(golden.at(name + "/margins").values<double>(), positive);
    const auto expected = golden.at(name + "/sigmoid").values<double>();
    // Both stop where the gradient is rounding; the flattest curvature here is about 1.
    EXPECT_NEAR(sigmoid.slope, expected[0], 1e-9) << name;
    EXPECT_NEAR(sigmoid.offset, expected[1], 1e-9) << name;
  }
}

TEST(Platt, EqualMarginsGiveTheShareOfThePositives) {
  const Sigmoid sigmoid =
      fit_sigmoid(std::vector<double>(10, 0.0), {true, true, false, false, false, false, false, false, false, false});
  // Of the smoothed targets: (2 * 3/4 + 8 * 1/10) / 10.
  EXPECT_NEAR(sigmoid(0.0), 0.23, 1e-9);
}

TEST(Platt, SigmoidsDoNotOverflow) {
  const Sigmoid steep{-3.0, 1.0};
  EXPECT_EQ(steep(1e6), 1.0);
  EXPECT_EQ(steep(-1e6), 0.0);
  EXPECT_DOUBLE_EQ(steep(0.5), 1.0 / (1.0 + std::exp(-0.5)));
}

TEST(Platt, ProbabilitiesSumToOne) {
  const std::vector<Sigmoid> sigmoids{{-1.0, 0.0}, {-2.0, 0.5}, {-1000.0, 0.0}};
  const Matrix<double> p = class_probabilities(Matrix<double>(2, 3, {0.0, 0.25, 1.0, -1e4, -1e4, -1e4}), sigmoids);
  EXPECT_DOUBLE_EQ(p(0, 0), 0.5 / 2.0);
  EXPECT_DOUBLE_EQ(p(0, 1), 0.5 / 2.0);
  EXPECT_DOUBLE_EQ(p(0, 2), 1.0 / 2.0);
  for (const double value : p.row(1)) EXPECT_DOUBLE_EQ(value, 1.0 / 3.0);  // all are zero to rounding
}

TEST(Platt, FitsEachClassAgainstTheRest) {
  const Matrix<double> margins(4, 2, {1, -1, 2, -2, -1, 1, -3, 3});
  const std::vector<std::int32_t> labels{0, 0, 1, 1};
  const std::vector<Sigmoid> sigmoids = fit_sigmoids(margins, labels);
  ASSERT_EQ(sigmoids.size(), 2u);
  const Sigmoid first = fit_sigmoid(std::vector<double>{1, 2, -1, -3}, {true, true, false, false});
  EXPECT_EQ(sigmoids[0].slope, first.slope);
  EXPECT_LT(sigmoids[1].slope, 0.0);
}

}  // namespace
}  // namespace chiasm
