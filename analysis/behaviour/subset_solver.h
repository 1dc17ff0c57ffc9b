// SPDX-License-Identifier: Apache-2.0
// Solves with the chosen rows and columns of one positive definite matrix, for choices that change little by little.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

class SubsetSolver {
 public:
  // A = `matrix`, of which the lower triangle and the rows are read, + ridge I. Borrows the matrix.
  SubsetSolver(MatrixView<double> matrix, double ridge) : matrix_(matrix), ridge_(ridge) {}

  // z with A[set, set] z = b[set]. A factor is kept; a set that differs from the factored one in few places is solved
  // through it, with the joining rows as a border and a multiplier that holds each leaving row at zero. `set` ascends,
  // b is of the whole length. Throws NumericalError where A is not positive definite.
  std::vector<double> solve(const std::vector<std::int64_t>& set, std::span<const double> b);

 private:
  std::vector<double> solve_anew(const std::vector<std::int64_t>& set, std::span<const double> b);

  MatrixView<double> matrix_;
  double ridge_;
  std::vector<std::int64_t> factored_;
  std::vector<double> factor_;
};

}  // namespace chiasm
