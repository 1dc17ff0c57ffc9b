// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/shrunk_covariance.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.h"
#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

constexpr std::int64_t kRowsPerTask = 32;
// Below this the smallest eigenvalue, where rows are fewer than units, is lost in rounding.
constexpr double kLeastShrinkage = 1e-10;

double squared_norm(std::span<const double> row) {
  double sum = 0.0;
  for (const double value : row) sum += value * value;
  return sum;
}

}  // namespace

ShrunkCovariance::ShrunkCovariance(const CpuStream& stream, Matrix<double> rows, std::int64_t degrees)
    : rows_(std::move(rows)), units_(rows_.columns()), by_rows_(rows_.rows() < rows_.columns()) {
  const std::int64_t n = rows_.rows(), p = rows_.columns();
  if (degrees < 1) {
    throw InputError("a noise covariance from " + std::to_string(n) + " trials with " + std::to_string(degrees) +
                     " degrees of freedom: it needs repeats of some item");
  }
  double trace = 0.0, fourth = 0.0;  // sums over rows of |r|^2 and |r|^4
  for (std::int64_t i = 0; i < n; ++i) {
    const double square = squared_norm(rows_.row(i));
    if (!std::isfinite(square)) {
      throw NumericalError("noise covariance",
                           "trial " + std::to_string(i) + " of a noise covariance has values that are not finite");
    }
    trace += square;
    fourth += square * square;
  }
  if (!(trace > 0.0)) throw InputError("a noise covariance of responses that do not vary between repeats");
  const CpuStream deterministic(stream.threads(), true);
  const std::int64_t side = std::min(n, p);
  factor_ = Matrix<double>(side, side);
  // Both products have the same eigenvalues, but for zeros, and so the same norm.
  gemm<double>(deterministic, side, side, std::max(n, p), {rows_.data(), p, !by_rows_}, {rows_.data(), p, by_rows_},
               0.0, factor_.data(), side);
  const auto trials = static_cast<double>(n), units = static_cast<double>(p);
  const double mean = trace / (trials * units);
  const double square = squared_norm(factor_.values()) / (trials * trials);  // |S|^2 with S = R'R / n
  const double distance = square - units * mean * mean;                      // |S - mean I|^2
  const double error = std::clamp((fourth / trials - square) / trials, 0.0, std::max(distance, 0.0));
  shrinkage_ = error > 0.0 ? error / distance : 0.0;
  mean_variance_ = trace / units / static_cast<double>(degrees);
  identity_ = shrinkage_ * mean_variance_;
  rows_weight_ = (1.0 - shrinkage_) / static_cast<double>(degrees);
  if (by_rows_ && shrinkage_ < kLeastShrinkage) {
    throw InputError("a noise covariance of " + std::to_string(p) + " units from " + std::to_string(n) +
                     " trials cannot be inverted: there are too few trials to say how far to shrink it");
  }
  if (rows_weight_ > 0.0) {
    const double diagonal = by_rows_ ? identity_ / rows_weight_ : identity_;
    for (double& value : factor_.values()) value *= by_rows_ ? 1.0 : rows_weight_;
    for (std::int64_t i = 0; i < side; ++i) factor_(i, i) += diagonal;
    if (!cholesky(side, factor_.data())) {
      throw InputError("a noise covariance of " + std::to_string(p) + " units from " + std::to_string(n) +
                       " trials cannot be inverted: some units are equal, or do not vary");
    }
  }
  if (!by_rows_) rows_ = {};
}

Matrix<double> ShrunkCovariance::solve(const CpuStream& stream, MatrixView<double> x) const {
  const std::int64_t units = x.columns, side = factor_.rows();
  Matrix<double> result(x.rows, units);
  stream.parallel_tasks((x.rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::int64_t task) {
    const std::int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, x.rows - first);
    for (std::int64_t i = first; i < first + count; ++i) std::ranges::copy(x.row(i), result.row(i).begin());
    double* const out = result.data() + first * units;
    const CpuStream one(1);
    if (rows_weight_ > 0.0 && !by_rows_) {
      cholesky_solve(side, factor_.data(), count, out);
      return;
    }
    if (rows_weight_ > 0.0) {
      Matrix<double> inner(count, side);
      gemm<double>(one, count, side, units, {out, units}, {rows_.data(), units, true}, 0.0, inner.data(), side);
      cholesky_solve(side, factor_.data(), count, inner.data());
      for (double& value : inner.values()) value = -value;
      gemm<double>(one, count, units, side, {inner.data(), side}, {rows_.data(), units}, 1.0, out, units);
    }
    for (std::int64_t k = 0; k < count * units; ++k) out[k] /= identity_;
  });
  return result;
}

}  // namespace chiasm
