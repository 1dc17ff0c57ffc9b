// SPDX-License-Identifier: Apache-2.0
// Cyclic coordinate descent for lasso and elastic net of one target:
//
//     min over b  1/2 |y - X b|^2 + l1 |b|_1 + l2/2 |b|^2,   X and y centred
//
// (Friedman, Hastie and Tibshirani 2010, J. Stat. Softw. 33:1). Steps and stopping are those of scikit-learn, so that
// the same tolerance gives the same weights up to rounding: after a sweep in which no weight moved by more than
// `tolerance` of the largest weight, the duality gap is computed, and the descent ends when it is below tolerance
// |y|^2.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

struct DescentLimits {
  double tolerance = 1e-4;
  int sweeps = 1000;
};

struct DescentEnd {
  bool converged = false;
  int sweeps = 0;
  double gap = 0.0;  // at the last check
};

// `xt` [p, n]: a row per regressor. `weights` [p]: where to start, and the result.
DescentEnd descend_on_rows(const Matrix<double>& xt, const double* y, double l1, double l2, DescentLimits limits,
                           double* weights);
// The same from X'X [p, p], X'y and |y|^2: a sweep costs p for each weight that moves instead of n for each regressor.
DescentEnd descend_on_gram(const Matrix<double>& gram, const double* moments, double y_squares, double l1, double l2,
                           DescentLimits limits, double* weights);

}  // namespace chiasm
