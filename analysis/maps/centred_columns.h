// SPDX-License-Identifier: Apache-2.0
// Regressors as rows of memory, less their means.
#pragma once

#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

struct CentredColumns {
  Matrix<double> rows;       // [columns of x, rows of x]
  std::vector<double> mean;  // by column of x; zeros where not centred
};

// A column whose values are all equal becomes exactly zero. With `centred` false nothing is taken off.
template <class T>
CentredColumns centred_columns(MatrixView<T> x, bool centred = true);

// sum a_i b_i.
double dot_product(const double* a, const double* b, std::int64_t n);

}  // namespace chiasm
