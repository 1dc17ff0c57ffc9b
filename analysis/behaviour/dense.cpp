// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/dense.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "kernels/error.h"
#include "kernels/simd.h"
#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm::dense {
namespace {

// Destroys `matrix` when it fails.
void factor(std::int64_t n, double* matrix) {
  const auto step = static_cast<std::size_t>(n) + 1;
  double largest = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) largest = std::max(largest, matrix[i * step]);
  if (!std::isfinite(largest)) throw NumericalError("svm", "a support vector machine met features that are not finite");
  std::vector<double> kept(matrix, matrix + n * n);
  for (double ridge = static_cast<double>(n) * 1e-16 * largest; !cholesky(n, matrix); ridge *= 10.0) {
    if (!(ridge < 1e-6 * largest)) {
      throw NumericalError("svm", "a support vector machine met features that are not finite or too large");
    }
    std::ranges::copy(kept, matrix);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) matrix[i * step] += ridge;
  }
}

}  // namespace

double dot(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

std::vector<double> take(std::span<const double> values, std::span<const std::int64_t> indices) {
  std::vector<double> taken(indices.size());
  for (std::size_t k = 0; k < indices.size(); ++k) taken[k] = values[static_cast<std::size_t>(indices[k])];
  return taken;
}

void put(std::span<const double> values, std::span<const std::int64_t> indices, std::span<double> into) {
  assert(values.size() >= indices.size());
  for (std::size_t k = 0; k < indices.size(); ++k) into[static_cast<std::size_t>(indices[k])] = values[k];
}

std::vector<double> gather_lower(MatrixView<double> matrix, std::span<const std::int64_t> indices) {
  const std::size_t n = indices.size();
  std::vector<double> lower(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    const double* const row = matrix.row(indices[i]).data();
    for (std::size_t k = 0; k <= i; ++k) lower[i * n + k] = row[indices[k]];
  }
  return lower;
}

void add_rows(MatrixView<double> matrix, std::span<const std::int64_t> indices, std::span<const double> x,
              std::span<double> y) {
  const auto row = [&](std::size_t k) CHIASM_INLINE_LAMBDA {
    return matrix.row(indices.empty() ? static_cast<std::int64_t>(k) : indices[k]).data();
  };
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    // Four rows at a time, so that y is read and written once for four.
    double* const out = y.data();
    const std::size_t n = y.size();
    std::size_t k = 0;
    for (; k + 4 <= x.size(); k += 4) {
      const double *a = row(k), *b = row(k + 1), *c = row(k + 2), *d = row(k + 3);
      const double xa = x[k], xb = x[k + 1], xc = x[k + 2], xd = x[k + 3];
      for (std::size_t i = 0; i < n; ++i) out[i] += (xa * a[i] + xb * b[i]) + (xc * c[i] + xd * d[i]);
    }
    for (; k < x.size(); ++k) {
      const double* const a = row(k);
      const double xa = x[k];
      for (std::size_t i = 0; i < n; ++i) out[i] += xa * a[i];
    }
  });
}

void add_products(MatrixView<double> x, bool of_rows, std::span<double> sum) {
  constexpr std::int64_t kBlock = 128;
  const std::int64_t side = of_rows ? x.rows : x.columns, along = of_rows ? x.columns : x.rows;
  const auto from = [&](std::int64_t i) { return x.data + (of_rows ? i * x.stride : i); };
  for (std::int64_t begin = 0; begin < side; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, side - begin);
    gemm(CpuStream(1), count, begin + count, along, {from(begin), x.stride, !of_rows}, {x.data, x.stride, of_rows}, 1.0,
         sum.data() + begin * side, side);
  }
}

void solve_positive(std::vector<double>& matrix, std::vector<double>& b) {
  const std::int64_t n = std::ssize(b);
  factor(n, matrix.data());
  cholesky_solve(n, matrix.data(), 1, b.data());
}

void invert_positive(Matrix<double>& matrix) {
  factor(matrix.rows(), matrix.data());
  cholesky_invert(matrix.rows(), matrix.data());
}

}  // namespace chiasm::dense
