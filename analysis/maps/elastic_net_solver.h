// SPDX-License-Identifier: Apache-2.0
// The minimum at one penalty, by the method that fits it, whatever was solved before.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/dual_newton.h"
#include "analysis/maps/lasso_homotopy.h"

namespace chiasm {

class ElasticNetSolver {
 public:
  // From this ratio on the l2 term is so small a part that the dual is ill-conditioned: weights are followed in l1.
  static constexpr double kLasso = 0.999;

  explicit ElasticNetSolver(const RotatedRegressors& regressors)
      : x_(regressors), newton_(regressors), homotopy_(regressors) {}

  void set_target(std::span<const double> y);  // centred, [rows]
  // t = n alpha > 0, 0 <= rho <= 1. Returns false where it did not come to an end.
  bool solve(double t, double rho);

  const std::vector<std::int64_t>& used() { return lasso_ ? homotopy_.used() : newton_.used(); }
  const std::vector<double>& used_weights() { return lasso_ ? homotopy_.used_weights() : newton_.used_weights(); }

 private:
  const RotatedRegressors& x_;
  DualNewton newton_;
  LassoHomotopy homotopy_;
  std::vector<double> y_;
  bool lasso_ = false;  // what was solved last
};

}  // namespace chiasm
