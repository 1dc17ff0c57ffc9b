// SPDX-License-Identifier: Apache-2.0
// Exact lasso of one target at falling penalties: the weights are piecewise straight in the penalty l1 of
//
//     min over b  1/2 |y - X b|^2 + l1 |b|_1 + l2/2 |b|^2,
//
// from knot to knot, where a regressor comes into use or goes out of it (Osborne, Presnell and Turlach 2000, IMA J.
// Numer. Anal. 20:389; Efron et al. 2004, Ann. Stat. 32:407).
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/maps/rotated_regressors.h"

namespace chiasm {

class LassoHomotopy {
 public:
  explicit LassoHomotopy(const RotatedRegressors& regressors);

  // `y` is rotated(), `moments` its X'y, padded. Starts from no weights at l1 = max |X'y|.
  void start(const std::vector<double>& y, const std::vector<double>& moments, double l2 = 0.0);
  // Weights at l1, at most that of the last call. Returns false where it did not get there; then they are those of the
  // last knot. Of regressors that depend on others in use, one stays out.
  bool move_to(double l1);

  const std::vector<std::int64_t>& used() const { return used_; }
  const std::vector<double>& used_weights() const { return weights_; }

 private:
  // How a segment ends.
  struct Knot {
    double l1 = 0.0;
    std::int64_t regressor = -1;  // -1: none above zero
    bool joins = false;
    double sign = 0.0;
  };
  bool factor();
  void straighten();
  Knot next_knot() const;
  bool pass_knot();

  const RotatedRegressors& x_;
  std::vector<double> y_;
  double l1_ = 0.0, l2_ = 0.0;
  std::vector<std::int64_t> used_;
  std::vector<double> weights_, signs_;
  std::vector<char> in_use_, refused_;  // refused: depends on those in use
  Knot last_, next_;
  int knots_ = 0;
  // On the present segment b = base - l1 slope, and X'r - l2 b = fixed + l1 moving.
  std::vector<double> base_, slope_, fixed_, moving_;
  std::vector<double> factor_, inverse_;
};

}  // namespace chiasm
