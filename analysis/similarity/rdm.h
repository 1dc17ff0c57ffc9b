// SPDX-License-Identifier: Apache-2.0
// Rdm: a dissimilarity matrix, how different each item (stimulus) is from each other one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

struct Rdm {
  std::int64_t items = 0;
  // The strict upper triangle row by row: (0, 1), (0, 2), ..., (1, 2), ...: items (items - 1) / 2 values. NaN where it
  // is not defined.
  std::vector<double> values;
  // Items whose every entry is NaN because of what they are, ascending: without variance, or with a value that is not
  // finite.
  std::vector<std::int64_t> undefined;
  // How far values that should be equal may differ because the numbers behind them were rounded, to float32 for
  // example; 0: no further than arithmetic in double leaves. Comparisons of ranks take such values for equal.
  double rounding = 0.0;

  Rdm() = default;
  explicit Rdm(std::int64_t items);                         // zeros
  std::int64_t missing() const;                             // values that are NaN
  double operator()(std::int64_t i, std::int64_t j) const;  // either order; 0 for i = j
};

// Where (i, j) stands in the triangle. REQUIRES: 0 <= i < j < items.
constexpr std::int64_t pair_index(std::int64_t items, std::int64_t i, std::int64_t j) {
  return i * (2 * items - i - 1) / 2 + j - i - 1;
}

// A triangle as a file stores it. Throws InputError, naming `what`, for a length that is not items (items - 1) / 2.
Rdm rdm_of_triangle(std::vector<double> values, const std::string& what);
// A whole matrix. Throws InputError, naming `what`, unless it is square, symmetric to a relative 1e-6 (files are often
// float32) and has zeros or NaNs on the diagonal.
Rdm rdm_of_square(MatrixView<double> square, const std::string& what);
Matrix<double> square_of(const Rdm& rdm);  // zeros on the diagonal

}  // namespace chiasm
