// SPDX-License-Identifier: Apache-2.0
// All elastic nets of a grid on one set of training rows, scored on one set of held-out rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/rotated_regressors.h"
#include "analysis/matrix.h"

namespace chiasm {

// Thread-safe.
class ElasticNetPaths {
 public:
  // t = scale alpha is n alpha of dual_newton.h. Values of x must be finite.
  template <class T>
  ElasticNetPaths(const Matrix<T>& train, const Matrix<T>& held_out, std::span<const double> alphas, double scale,
                  std::span<const double> l1_ratios);

  // r [alphas * ratios], in the order given: of the predictions of `held_out` by fits to `train`; NaN where either does
  // not vary. Returns the number of fits that did not converge. On one thread.
  std::int64_t scores(std::span<const double> train, std::span<const double> held_out, std::span<double> r) const;

 private:
  RotatedRegressors regressors_;
  Matrix<double> held_out_;  // [regressors, padded rows], less the means of the training rows
  std::int64_t held_out_rows_;
  std::vector<double> t_;               // descending
  std::vector<std::int64_t> alpha_of_;  // where t_[i] stood
  std::vector<double> ratios_;          // ascending
  std::vector<std::int64_t> ratio_of_;
};

}  // namespace chiasm
