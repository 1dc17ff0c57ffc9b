// SPDX-License-Identifier: Apache-2.0
// A covariance matrix of noise across units that can be inverted although there are more units than trials.
#pragma once

#include <cstdint>

#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

// (1 - s) S + s v I, S the covariance of the rows, v the mean of its diagonal and s the shrinkage of Ledoit and Wolf
// 2004 (J. Multivariate Anal. 88:365, section 3.3), towards the scaled identity.
class ShrunkCovariance {
 public:
  // rows [trials, units]: deviations from what was expected of each trial. `degrees` divides in S (the number of trials
  // less the number of means that were taken off); s is computed as for a division by the number of rows. Throws
  // InputError for degrees < 1 and where no unit varies, NumericalError for values that are not finite.
  ShrunkCovariance(const CpuStream& stream, Matrix<double> rows, std::int64_t degrees);

  std::int64_t units() const { return units_; }
  double shrinkage() const { return shrinkage_; }
  double mean_variance() const { return mean_variance_; }
  // x C^-1 for the rows of x [any, units]. REQUIRES: as many columns. Thread-safe.
  Matrix<double> solve(const CpuStream& stream, MatrixView<double> x) const;

 private:
  // C = identity_ I + rows_weight_ R'R. With fewer rows than units it is never formed: what is factored is R R' plus a
  // diagonal (Woodbury's identity).
  Matrix<double> rows_;    // R, where it has fewer rows than columns
  Matrix<double> factor_;  // of Cholesky
  std::int64_t units_ = 0;
  bool by_rows_ = false;
  double shrinkage_ = 0.0, mean_variance_ = 0.0, identity_ = 0.0, rows_weight_ = 0.0;
};

}  // namespace chiasm
