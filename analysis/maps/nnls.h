// SPDX-License-Identifier: Apache-2.0
// Non-negative least squares: min |y - X b - b0|^2 with every b >= 0, by the active-set method of Lawson and Hanson
// (Solving Least Squares Problems, 1974, chapter 23) on the normal equations.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

// The same in terms of G = X'X [p, p] (row-major, without gaps) and moments X'y, with target_norm = |y|: writes b into
// `weights` [p]. Regressors that depend linearly on those in use, to a relative 1e-12 of their squared norm, are left
// out, so that a rank-deficient G gives one of the solutions. Returns false when it stopped after 10 p + 10 regressors
// had been let in; `weights` is feasible even then. All must be finite.
bool nnls_from_gram(std::int64_t p, const double* gram, const double* moments, double target_norm, double* weights);

struct NnlsFit {
  Matrix<double> weights;          // [targets, regressors]
  std::vector<double> intercepts;  // of any sign; zeros without intercept
  std::int64_t not_converged = 0;  // targets that reached the limit
};

// One set of regressors, prepared for any number of targets. Keeps X'X where rows >= regressors, else X alone. Copies
// what it is given. Thread-safe.
class NnlsSolver {
 public:
  // x [rows, regressors]. Throws InputError without rows, NumericalError for a value that is not finite.
  NnlsSolver(const CpuStream& stream, MatrixView<double> x, bool intercept);

  // y [rows, targets]. Throws as the constructor. The same bits for any number of threads.
  NnlsFit fit(const CpuStream& stream, MatrixView<double> y) const;

 private:
  bool intercept_;
  std::vector<double> mean_;  // of each regressor; zeros without intercept
  Matrix<double> xt_;         // [regressors, rows], less the mean
  Matrix<double> gram_;       // empty where xt_ is used instead
};

}  // namespace chiasm
