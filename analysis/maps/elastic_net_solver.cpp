// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/elastic_net_solver.h"

#include <algorithm>

namespace chiasm {

void ElasticNetSolver::set_target(std::span<const double> y) {
  newton_.set_target(y);
  y_ = x_.rotated(y);
}

bool ElasticNetSolver::solve(double t, double rho) {
  lasso_ = rho >= kLasso;
  if (lasso_) {
    homotopy_.start(y_, newton_.moments(), t * (1.0 - rho));
    return homotopy_.move_to(t * rho);
  }
  if (t * rho >= newton_.largest_moment()) {
    newton_.clear();
    return true;
  }
  // Coming down from where the first weight appears, each start is near its end; far below, little changes.
  const double top = newton_.largest_moment() / std::max(rho, 1e-3);
  std::vector<double> guess = newton_.moments();
  for (double& c : guess) c /= top;
  newton_.guess(guess, rho);
  for (double above = 0.5 * top; above > 2.0 * t && above > 1e-8 * top; above *= 0.25) newton_.solve(above, rho);
  return newton_.solve(t, rho);
}

}  // namespace chiasm
