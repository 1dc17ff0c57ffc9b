// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/nnls.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/error.h"
#include "tests/support/golden.h"

namespace chiasm {
namespace {

using test::near;
using test::Tolerance;

Tensor row(const std::vector<double>& values) { return Tensor::of<double>({std::ssize(values)}, values); }

double residual(MatrixView<double> x, MatrixView<double> y, const NnlsFit& fit, std::int64_t target) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double r = y(i, target) - fit.intercepts[static_cast<std::size_t>(target)];
    for (std::int64_t j = 0; j < x.columns; ++j) r -= x(i, j) * fit.weights(target, j);
    sum += r * r;
  }
  return std::sqrt(sum);
}

// spec/neural_analysis.md section 12.
TEST(Nnls, GivesTheVectorsOfTheSpecification) {
  const CpuStream stream(1);
  const Matrix<double> x(5, 3, {1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 2, 1}), y(5, 1, {1, -1, 2, 1.5, 0});
  const NnlsFit fit = NnlsSolver(stream, x, false).fit(stream, y);
  EXPECT_TRUE(near(tensor_of<double>(fit.weights).view(),
                   Tensor::of<double>({1, 3}, std::vector<double>{1.5, 0, 0}).view(), {1e-12}));
  EXPECT_EQ(fit.intercepts, std::vector<double>{0.0});
  EXPECT_NEAR(residual(x, y, fit, 0), 1.2247448714, 1e-10);  // given to 10 decimals
  const NnlsFit free = NnlsSolver(stream, x, true).fit(stream, y);
  EXPECT_TRUE(near(row({free.weights(0, 0), free.weights(0, 1), free.weights(0, 2), free.intercepts[0]}).view(),
                   row({3, 0.8571428571, 0, -1.7857142857}).view(), {0, 1e-10}));
  EXPECT_EQ(fit.not_converged + free.not_converged, 0);
}

// The best of all sets of regressors whose least-squares solution is feasible (section 13.6), by Cramer's rule.
double best_of_all_sets(const Matrix<double>& x, const Matrix<double>& y, double weights[3]) {
  const auto product = [&](int i, int k) {
    double sum = 0;
    for (std::int64_t r = 0; r < x.rows(); ++r) sum += x(r, i) * (k < 3 ? x(r, k) : y(r, 0));
    return sum;
  };
  double best = 1e300;
  for (int set = 0; set < 8; ++set) {
    double a[3][3], b[3];
    for (int i = 0; i < 3; ++i) {
      const bool in = set >> i & 1;
      b[i] = in ? product(i, 3) : 0.0;
      for (int k = 0; k < 3; ++k) a[i][k] = in && (set >> k & 1) ? product(i, k) : (i == k ? 1.0 : 0.0);
    }
    const auto det = [&](int replaced) {
      double m[3][3];
      for (int i = 0; i < 3; ++i) {
        for (int k = 0; k < 3; ++k) m[i][k] = k == replaced ? b[i] : a[i][k];
      }
      return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
             m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
    };
    const double w[3] = {det(0) / det(-1), det(1) / det(-1), det(2) / det(-1)};
    if (w[0] < 0 || w[1] < 0 || w[2] < 0) continue;
    double sum = 0;
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      const double e = y(r, 0) - x(r, 0) * w[0] - x(r, 1) * w[1] - x(r, 2) * w[2];
      sum += e * e;
    }
    if (sum < best) {
      best = sum;
      std::copy_n(w, 3, weights);
    }
  }
  return std::sqrt(best);
}

TEST(Nnls, IsTheBestOfAllSetsOfThreeRegressors) {
  const CpuStream stream(1);
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  int uses[4] = {};
  for (int trial = 0; trial < 200; ++trial) {
    Matrix<double> x(7, 3), y(7, 1);
    for (double& v : x.values()) v = normal(random) + 0.5 * (trial % 3);
    for (double& v : y.values()) v = normal(random) + 0.3;
    double expected[3];
    const double norm = best_of_all_sets(x, y, expected);
    const NnlsFit fit = NnlsSolver(stream, x, false).fit(stream, y);
    // Three regressors and seven rows: conditions stay below 1e3, rounding below 1e-10.
    EXPECT_NEAR(residual(x, y, fit, 0), norm, 1e-10 * norm) << trial;
    int used = 0;
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(fit.weights(0, j), expected[j], 1e-9) << trial;
      used += expected[j] > 0;
    }
    ++uses[used];
  }
  for (const int count : uses) EXPECT_GT(count, 0);  // sets of every size were met
}

TEST(Nnls, AgreesWithSciPy) {
  const test::Golden golden("nnls");
  const CpuStream stream(2);
  for (const char* name : {"tall", "positive", "wide", "dependent", "constant", "one"}) {
    SCOPED_TRACE(name);
    const std::string at = std::string(name) + "/";
    const Matrix<double> x = matrix_of<double>(golden.at(at + "x")), y = matrix_of<double>(golden.at(at + "y"));
    for (const bool intercept : {false, true}) {
      const std::string key = at + (intercept ? "free_" : "");
      const NnlsFit fit = NnlsSolver(stream, x, intercept).fit(stream, y);
      EXPECT_EQ(fit.not_converged, 0);
      std::vector<double> residuals;
      for (std::int64_t t = 0; t < y.columns(); ++t) residuals.push_back(residual(x, y, fit, t));
      // Exact fits leave a residual of rounding, here about 1e-14 of |y|.
      EXPECT_TRUE(near(row(residuals).view(), golden.at(key + "residual").view(), {1e-10, 1e-10}));
      for (const double w : fit.weights.values()) EXPECT_GE(w, 0.0);
      // Of dependent regressors, and of more than rows, the weights are not unique.
      if (at == "dependent/" || at == "wide/") continue;
      if (at == "constant/" && intercept) continue;  // a constant regressor is a second intercept
      EXPECT_TRUE(near(tensor_of<double>(fit.weights).view(), golden.at(key + "weights").view(), {1e-9, 1e-12}));
      if (intercept) {
        EXPECT_TRUE(near(row(fit.intercepts).view(), golden.at(key + "intercept").view(), {1e-9, 1e-12}));
      }
    }
  }
}

TEST(Nnls, EndsWhereRegressorsDependOnEachOther) {
  const CpuStream stream(1);
  std::mt19937 random(8);
  std::normal_distribution<double> normal;
  // 30 regressors of rank 4, in both forms; all equal; and all zero.
  for (const std::int64_t rows : {60, 20}) {
    Matrix<double> x(rows, 30), y(rows, 6);
    for (std::int64_t i = 0; i < rows; ++i) {
      double basis[4];
      for (double& b : basis) b = normal(random);
      for (std::int64_t j = 0; j < 30; ++j) {
        x(i, j) = basis[j % 4] + static_cast<double>(j / 4) * basis[(j + 1) % 4];
      }
      for (std::int64_t t = 0; t < 6; ++t) y(i, t) = normal(random) + basis[t % 4];
    }
    const NnlsFit fit = NnlsSolver(stream, x, true).fit(stream, y);
    EXPECT_EQ(fit.not_converged, 0);
    // The conditions of an optimum: no gradient at weights above zero, none above zero elsewhere.
    for (std::int64_t t = 0; t < 6; ++t) {
      int used = 0;
      for (std::int64_t j = 0; j < 30; ++j) {
        double gradient = 0;
        for (std::int64_t i = 0; i < rows; ++i) {
          double r = y(i, t) - fit.intercepts[static_cast<std::size_t>(t)];
          for (std::int64_t k = 0; k < 30; ++k) r -= x(i, k) * fit.weights(t, k);
          gradient += r * x(i, j);
        }
        // |x| |y| is up to 1e3 here.
        EXPECT_LT(gradient, 1e-8);
        if (fit.weights(t, j) > 0) {
          EXPECT_GT(gradient, -1e-8);
          ++used;
        }
      }
      EXPECT_LE(used, 4);
      EXPECT_GT(used, 0);
    }
  }
  for (const double value : {1.0, 0.0}) {
    const Matrix<double> x(5, 3, std::vector<double>(15, value)), y(5, 1, {1, 2, 3, 4, 5});
    EXPECT_NEAR(residual(x, y, NnlsSolver(stream, x, false).fit(stream, y), 0), std::sqrt(value > 0 ? 10.0 : 55.0),
                1e-12);
    const NnlsFit fit = NnlsSolver(stream, x, true).fit(stream, y);
    EXPECT_EQ(fit.intercepts, std::vector<double>{3.0});
    EXPECT_EQ(fit.weights, Matrix<double>(1, 3));
  }
}

TEST(Nnls, GivesTheSameBitsForAnyNumberOfThreads) {
  const test::Golden golden("nnls");
  const Matrix<double> x = matrix_of<double>(golden.at("tall/x")), y = matrix_of<double>(golden.at("tall/y"));
  const CpuStream one(1), many(3);
  EXPECT_EQ(NnlsSolver(one, x, true).fit(one, y).weights, NnlsSolver(many, x, true).fit(many, y).weights);
}

TEST(Nnls, RefusesWhatIsNotFiniteAndOtherRows) {
  const CpuStream stream(1);
  const Matrix<double> x(2, 1, {1, 2});
  EXPECT_THROW(NnlsSolver(stream, Matrix<double>(1, 1, {NAN}), true), NumericalError);
  EXPECT_THROW(NnlsSolver(stream, Matrix<double>(0, 1), true), InputError);
  EXPECT_THROW(NnlsSolver(stream, x, true).fit(stream, Matrix<double>(2, 1, {NAN, 1})), NumericalError);
  EXPECT_THROW(NnlsSolver(stream, x, true).fit(stream, Matrix<double>(3, 1)), InputError);
  // One row: nothing varies, the intercept is the value.
  const NnlsFit fit = NnlsSolver(stream, Matrix<double>(1, 2, {1, 2}), true).fit(stream, Matrix<double>(1, 1, {7}));
  EXPECT_EQ(fit.intercepts, std::vector<double>{7.0});
}

}  // namespace
}  // namespace chiasm
