// SPDX-License-Identifier: Apache-2.0
// Friedman's test: do several models score differently on the same units?
#pragma once

#include <cstdint>

#include "analysis/matrix.h"

namespace chiasm {

struct Friedman {
  double chi_square;  // corrected for ties; NaN where every row is tied throughout
  double degrees;     // columns - 1
  double p;
  std::int64_t blocks;   // rows that count
  std::int64_t dropped;  // rows with a NaN, left out
};

// Rows are units, columns what is compared. Throws InputError for fewer than 3 columns: two are compared by
// signed_rank.
Friedman friedman(MatrixView<double> scores);

}  // namespace chiasm
