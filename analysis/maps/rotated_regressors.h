// SPDX-License-Identifier: Apache-2.0
// Regressors in the coordinates of the space that they span: with U an orthonormal basis of it (rank rows), Z = U X and
// U y give the same penalised fits as X and y, of rank <= min(rows - 1, regressors) rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

class RotatedRegressors {
 public:
  static constexpr std::int64_t kColumnMultiple = 64;

  // `xt` [regressors, rows]: a centred regressor per row. Directions of the rows along which all of X is below 1e-12 of
  // its largest singular value are rounding, and are left out.
  explicit RotatedRegressors(const Matrix<double>& xt);

  std::int64_t regressors() const { return zt_.rows(); }
  std::int64_t rows() const { return basis_.columns(); }
  std::int64_t rank() const { return basis_.rows(); }
  std::int64_t padded_rank() const { return zt_.columns(); }       // a multiple of 4
  std::int64_t padded_regressors() const { return z_.columns(); }  // a multiple of kColumnMultiple

  const Matrix<double>& z() const { return z_; }                 // [rank, padded regressors], padding 0
  const Matrix<float>& rounded_z() const { return rounded_z_; }  // z() in single precision
  const Matrix<double>& zt() const { return zt_; }               // [regressors, padded rank], padding 0
  // U y, padded with zeros.
  std::vector<double> rotated(std::span<const double> y) const;

 private:
  Matrix<double> basis_, z_, zt_;  // basis: [rank, rows]
  Matrix<float> rounded_z_;
};

}  // namespace chiasm
