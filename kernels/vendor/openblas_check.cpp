// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/openblas_check.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/error.h"

namespace chiasm {
namespace {

using Matrix = std::vector<double>;  // row-major

// How far a result may lie from plain loops, in units of epsilon times the length of its longest sum. Factors are at
// most 1 in size and matrices well conditioned (eigenvalues between 1 and some tens), and both sides round each term
// twice.
constexpr double kTolerance = 8.0;

Matrix waves(std::int64_t rows, std::int64_t columns, double phase) {
  Matrix values(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(0.61 * static_cast<double>(i) + phase);
  return values;
}

// A NaN does not pass.
bool close(double actual, double expected, std::int64_t terms) {
  return std::fabs(actual - expected) <=
         kTolerance * std::numeric_limits<double>::epsilon() * static_cast<double>(terms);
}

bool product_is_right(const DenseRoutines& routines, std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a,
                      bool transpose_b) {
  const Matrix a = waves(m, k, 0.3), b = waves(k, n, 1.1);
  const auto turned = [](const Matrix& x, std::int64_t rows, std::int64_t columns) {
    Matrix t(x.size());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) t[j * rows + i] = x[i * columns + j];
    }
    return t;
  };
  const Matrix stored_a = transpose_a ? turned(a, m, k) : a, stored_b = transpose_b ? turned(b, k, n) : b;
  Matrix c(static_cast<std::size_t>(m * n), 1.0);
  routines.product(CpuStream(1), m, n, k, {stored_a.data(), transpose_a ? m : k, transpose_a},
                   {stored_b.data(), transpose_b ? k : n, transpose_b}, 1.0, c.data(), n);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 1.0;
      for (std::int64_t l = 0; l < k; ++l) sum += a[i * k + l] * b[l * n + j];
      if (!close(c[i * n + j], sum, k + 1)) return false;
    }
  }
  return true;
}

// A = waves waves' / n + 1: symmetric, eigenvalues of at least 1.
Matrix positive(std::int64_t n) {
  const Matrix x = waves(n, n, 0.7);
  Matrix a(x.size());
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t l = 0; l < n; ++l) sum += x[i * n + l] * x[j * n + l];
      a[i * n + j] = sum / static_cast<double>(n) + (i == j ? 1.0 : 0.0);
    }
  }
  return a;
}

// L L' = A; A x = b; and A times its inverse.
bool factor_is_right(const DenseRoutines& routines, std::int64_t n) {
  const Matrix a = positive(n);
  Matrix factor = a;
  if (!routines.factor(n, factor.data())) return false;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (std::int64_t l = 0; l <= j; ++l) sum += factor[i * n + l] * factor[j * n + l];
      if (!close(sum, a[i * n + j], 2 * n)) return false;
    }
  }
  constexpr std::int64_t kRight = 3;
  const Matrix b = waves(kRight, n, 0.2);
  Matrix x = b, inverse = factor;
  routines.solve(n, factor.data(), kRight, x.data());
  routines.invert(n, inverse.data());
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t r = 0; r < kRight; ++r) {
      double sum = 0.0;
      for (std::int64_t l = 0; l < n; ++l) sum += a[i * n + l] * x[r * n + l];
      if (!close(sum, b[r * n + i], 16 * n)) return false;
    }
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t l = 0; l < n; ++l) sum += a[i * n + l] * inverse[l * n + j];
      if (!close(sum, i == j ? 1.0 : 0.0, 16 * n)) return false;
    }
  }
  return true;
}

// A v = lambda v, and vectors of length 1 at right angles.
bool eigenvectors_are_right(const DenseRoutines& routines, std::int64_t n) {
  const Matrix a = positive(n);
  Matrix vectors = a, values(static_cast<std::size_t>(n));
  routines.eigen(n, vectors.data(), values.data());
  for (std::int64_t k = 0; k < n; ++k) {
    const double* v = vectors.data() + k * n;
    for (std::int64_t i = 0; i < n; ++i) {
      double image = 0.0, product = 0.0;
      for (std::int64_t l = 0; l < n; ++l) {
        image += a[i * n + l] * v[l];
        product += vectors[i * n + l] * v[l];
      }
      if (!close(image, values[k] * v[i], 16 * n) || !close(product, i == k ? 1.0 : 0.0, 16 * n)) return false;
    }
  }
  return true;
}

}  // namespace

bool agree_with_loops(const DenseRoutines& routines) {
  struct Sides {
    std::int64_t m, n, k;
  };
  // Below, at and above register tiles, a single row or column, and past one block of the cache.
  for (const auto [m, n, k] :
       {Sides{1, 1, 1}, {1, 17, 5}, {19, 1, 33}, {3, 5, 7}, {13, 31, 29}, {33, 65, 129}, {67, 9, 411}}) {
    for (const int layout : {0, 1, 2, 3}) {
      if (!product_is_right(routines, m, n, k, layout & 1, layout & 2)) return false;
    }
  }
  try {
    for (const std::int64_t n : {1, 7, 33, 101}) {
      if (!factor_is_right(routines, n) || !eigenvectors_are_right(routines, n)) return false;
    }
  } catch (const Error&) {  // an iteration that does not converge
    return false;
  }
  return true;
}

}  // namespace chiasm
