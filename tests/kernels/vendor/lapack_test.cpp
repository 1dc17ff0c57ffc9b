// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/lapack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <vector>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kSide = 37;
constexpr double kTolerance = 1e-12;  // 37 terms of size 1 in double, with room for what the factorisation amplifies

// G G' + 1 on the diagonal; the upper triangle holds what nobody may read.
std::vector<double> positive_definite(std::vector<double>* full = nullptr) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  std::vector<double> g(kSide * kSide), a(kSide * kSide);
  for (double& v : g) v = normal(random) / std::sqrt(kSide);
  for (std::int64_t i = 0; i < kSide; ++i) {
    for (std::int64_t j = 0; j < kSide; ++j) {
      double sum = i == j ? 1.0 : 0.0;
      for (std::int64_t k = 0; k < kSide; ++k) sum += g[i * kSide + k] * g[j * kSide + k];
      a[i * kSide + j] = sum;
    }
  }
  if (full) *full = a;
  for (std::int64_t i = 0; i < kSide; ++i) {
    for (std::int64_t j = i + 1; j < kSide; ++j) a[i * kSide + j] = 1e300;
  }
  return a;
}

TEST(Lapack, EigenvectorsAreRowsInAscendingOrder) {
  std::vector<double> full, vectors = positive_definite(&full), values(kSide);
  symmetric_eigen(kSide, vectors.data(), values.data());
  for (std::int64_t e = 0; e < kSide; ++e) {
    if (e > 0) {
      EXPECT_LE(values[e - 1], values[e]);
    }
    double length = 0.0;
    for (std::int64_t i = 0; i < kSide; ++i) {
      double product = 0.0;
      for (std::int64_t k = 0; k < kSide; ++k) product += full[i * kSide + k] * vectors[e * kSide + k];
      EXPECT_NEAR(product, values[e] * vectors[e * kSide + i], kTolerance);
      length += vectors[e * kSide + i] * vectors[e * kSide + i];
    }
    EXPECT_NEAR(length, 1.0, kTolerance);
  }
}

TEST(Lapack, EigenvaluesOfAMatrixThatIsNotSymmetric) {
  // The companion matrix of (z - 3)(z + 1)(z^2 - 2 z + 5): 3, 1 +- 2i, -1.
  std::vector<double> a{4, -6, 4, 15, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  std::vector<std::complex<double>> values(4);
  general_eigenvalues(4, a.data(), values.data());
  const std::complex<double> expected[] = {{3, 0}, {1, 2}, {1, -2}, {-1, 0}};
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_LT(std::abs(values[i] - expected[i]), kTolerance) << i;

  // Of a symmetric one they are those of the other routine.
  std::vector<double> full, vectors = positive_definite(&full), ascending(kSide);
  symmetric_eigen(kSide, vectors.data(), ascending.data());
  values.resize(kSide);
  general_eigenvalues(kSide, full.data(), values.data());
  for (std::int64_t i = 0; i < kSide; ++i) {
    EXPECT_NEAR(values[i].real(), ascending[kSide - 1 - i], kTolerance);
    EXPECT_EQ(values[i].imag(), 0.0);
  }
  a = {1.0, std::numeric_limits<double>::quiet_NaN(), 0.0, 1.0};
  EXPECT_THROW(general_eigenvalues(2, a.data(), values.data()), NumericalError);
}

TEST(Lapack, CholeskySolvesEveryRow) {
  std::vector<double> full, a = positive_definite(&full), b(3 * kSide);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = std::sin(static_cast<double>(i));
  std::vector<double> x = b;
  ASSERT_TRUE(cholesky(kSide, a.data()));
  cholesky_solve(kSide, a.data(), 3, x.data());
  for (std::int64_t row = 0; row < 3; ++row) {
    for (std::int64_t i = 0; i < kSide; ++i) {
      double product = 0.0;
      for (std::int64_t k = 0; k < kSide; ++k) product += full[i * kSide + k] * x[row * kSide + k];
      EXPECT_NEAR(product, b[row * kSide + i], kTolerance);
    }
  }
}

TEST(Lapack, CholeskyInvertsBothTriangles) {
  std::vector<double> full, inverse = positive_definite(&full);
  ASSERT_TRUE(cholesky(kSide, inverse.data()));
  cholesky_invert(kSide, inverse.data());
  for (std::int64_t i = 0; i < kSide; ++i) {
    for (std::int64_t j = 0; j < kSide; ++j) {
      double product = 0.0;
      for (std::int64_t k = 0; k < kSide; ++k) product += full[i * kSide + k] * inverse[k * kSide + j];
      EXPECT_NEAR(product, i == j ? 1.0 : 0.0, kTolerance);
    }
  }
}

TEST(Lapack, SaysWhatItCannotDo) {
  std::vector<double> indefinite{1, 0, 2, 1}, nan{1, 0, std::numeric_limits<double>::quiet_NaN(), 1}, values(2);
  EXPECT_FALSE(cholesky(2, indefinite.data()));
  EXPECT_THROW(symmetric_eigen(2, nan.data(), values.data()), NumericalError);
}

}  // namespace
}  // namespace chiasm
