// SPDX-License-Identifier: Apache-2.0
// The binary linear support vector machine of squared_hinge.h by liblinear's primal trust-region solver
// (L2R_L2LOSS_SVC, the deterministic one): the library of the studies, kept as the reference. Ours is exact and faster.
#pragma once

#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

// w and, last, the intercept, which is penalised with scale 1. On the calling thread; liblinear prints nothing.
// `tolerance` is liblinear's: the norm of the gradient at the end, relative to the start. Throws InputError for what
// liblinear refuses. REQUIRES: both labels occur, as many labels as rows.
std::vector<double> fit_liblinear(MatrixView<double> rows, const std::vector<bool>& positive, double c,
                                  double tolerance = 1e-10);

}  // namespace chiasm
