// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/subset_solver.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kSide = 150;

// G G' / side, whose smallest eigenvalues are far below 1: the ridge matters.
Matrix<double> positive(std::mt19937& random) {
  std::normal_distribution<double> normal;
  Matrix<double> g(kSide, kSide), a(kSide, kSide);
  for (double& v : g.values()) v = normal(random);
  for (std::int64_t i = 0; i < kSide; ++i) {
    for (std::int64_t j = 0; j < kSide; ++j) {
      for (std::int64_t k = 0; k < kSide; ++k) a(i, j) += g(i, k) * g(j, k) / kSide;
    }
  }
  return a;
}

// Sets that lose and gain rows, none, few (through the border) and many (anew): what is solved is what was asked.
TEST(SubsetSolver, SolvesEverySetOfASequence) {
  std::mt19937 random(8);
  const Matrix<double> a = positive(random);
  std::normal_distribution<double> normal;
  std::vector<double> b(kSide);
  for (double& v : b) v = normal(random);
  constexpr double kRidge = 0.1;
  SubsetSolver solver(a, kRidge);
  std::vector<bool> in(kSide);
  for (std::size_t i = 0; i < kSide; ++i) in[i] = random() % 3 != 0;
  for (const int changes : {0, 1, 3, 8, 0, 60, 2, 5}) {
    for (int k = 0; k < changes; ++k) in[random() % kSide].flip();
    std::vector<std::int64_t> set;
    for (std::int64_t i = 0; i < kSide; ++i) {
      if (in[static_cast<std::size_t>(i)]) set.push_back(i);
    }
    const std::vector<double> z = solver.solve(set, b);
    ASSERT_EQ(z.size(), set.size());
    for (std::size_t i = 0; i < set.size(); ++i) {
      double product = kRidge * z[i];
      for (std::size_t k = 0; k < set.size(); ++k) product += a(set[i], set[k]) * z[k];
      EXPECT_NEAR(product, b[static_cast<std::size_t>(set[i])], 1e-11);  // conditions of up to 40
    }
  }
}

TEST(SubsetSolver, EmptySetsAndWhatIsNotPositiveDefinite) {
  const Matrix<double> a(2, 2, {1, 2, 2, 1});
  const std::vector<double> b{1, 1};
  SubsetSolver solver(a, 0.0);
  EXPECT_TRUE(solver.solve({}, b).empty());
  EXPECT_EQ(solver.solve({1}, b), std::vector<double>{1.0});
  EXPECT_THROW(solver.solve({0, 1}, b), NumericalError);
  EXPECT_EQ(solver.solve({0}, b), std::vector<double>{1.0});
}

}  // namespace
}  // namespace chiasm
