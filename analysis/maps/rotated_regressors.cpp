// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/rotated_regressors.h"

#include <algorithm>
#include <cmath>

#include "analysis/maps/centred_columns.h"
#include "analysis/maps/small_factor.h"
#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

constexpr double kRounding = 1e-12;

// Takes the parts along the rows before `k` off row k and scales it to length 1. Returns the length it had left.
double orthonormalise(Matrix<double>& rows, std::int64_t k) {
  const std::int64_t n = rows.columns();
  double* row = rows.row(k).data();
  for (int pass = 0; pass < 2; ++pass) {  // the second takes off what rounding left of the first
    for (std::int64_t above = 0; above < k; ++above) {
      const double along = dot_product(rows.row(above).data(), row, n);
      for (std::int64_t i = 0; i < n; ++i) row[i] -= along * rows(above, i);
    }
  }
  const double length = std::sqrt(dot_product(row, row, n));
  for (std::int64_t i = 0; length > 0.0 && i < n; ++i) row[i] /= length;
  return length;
}

// An orthonormal basis of what the regressors span, [rank, rows], by falling singular value. Squared singular values
// lose half of the digits of small ones; their vectors, made orthogonal here, do not.
Matrix<double> basis_of(const Matrix<double>& xt) {
  const std::int64_t p = xt.rows(), n = xt.columns(), side = std::min(n, p);
  const CpuStream one(1);
  Matrix<double> vectors(side, side), basis(side, n);
  std::vector<double> values(static_cast<std::size_t>(side));
  if (n <= p) {
    gemm(one, n, n, p, {xt.data(), n, true}, {xt.data(), n}, 0.0, vectors.data(), n);
  } else {
    gemm(one, p, p, n, {xt.data(), n}, {xt.data(), n, true}, 0.0, vectors.data(), p);
  }
  symmetric_eigen(side, vectors.data(), values.data());
  const double largest = side > 0 ? std::sqrt(std::max(0.0, values.back())) : 0.0;
  std::int64_t rank = 0;
  std::vector<double> along(static_cast<std::size_t>(p));
  for (std::int64_t k = side; k-- > 0 && largest > 0.0;) {
    double length = 0.0;
    if (n <= p) {
      std::ranges::copy(vectors.row(k), basis.row(rank).begin());
      for (std::int64_t j = 0; j < p; ++j) {
        along[static_cast<std::size_t>(j)] = dot_product(basis.row(rank).data(), xt.row(j).data(), n);
      }
      length = std::sqrt(dot_product(along.data(), along.data(), p));
    } else {
      gemm(one, 1, n, p, {vectors.row(k).data(), p}, {xt.data(), n}, 0.0, basis.row(rank).data(), n);  // X v
      length = orthonormalise(basis, rank);
    }
    if (length > kRounding * largest) ++rank;
  }
  std::vector<double> kept(basis.values().begin(), basis.values().begin() + rank * n);
  return {rank, n, std::move(kept)};
}

}  // namespace

RotatedRegressors::RotatedRegressors(const Matrix<double>& xt) : basis_(basis_of(xt)) {
  const std::int64_t p = xt.rows(), n = xt.columns();
  zt_ = Matrix<double>(p, padded_to_four(rank()));
  gemm(CpuStream(1), p, rank(), n, {xt.data(), n}, {basis_.data(), n, true}, 0.0, zt_.data(), padded_rank());
  z_ = Matrix<double>(rank(), (p + kColumnMultiple - 1) / kColumnMultiple * kColumnMultiple);
  for (std::int64_t k = 0; k < rank(); ++k) {
    for (std::int64_t j = 0; j < p; ++j) z_(k, j) = zt_(j, k);
  }
  rounded_z_ = Matrix<float>(z_.rows(), z_.columns());
  std::ranges::transform(z_.values(), rounded_z_.values().begin(), [](double v) { return static_cast<float>(v); });
}

std::vector<double> RotatedRegressors::rotated(std::span<const double> y) const {
  std::vector<double> u(static_cast<std::size_t>(padded_rank()));
  for (std::int64_t k = 0; k < rank(); ++k) {
    u[static_cast<std::size_t>(k)] = dot_product(basis_.row(k).data(), y.data(), rows());
  }
  return u;
}

}  // namespace chiasm
