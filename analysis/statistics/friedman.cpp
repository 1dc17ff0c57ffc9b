// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/friedman.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/statistics/rank.h"
#include "analysis/statistics/tails.h"
#include "kernels/error.h"

namespace chiasm {

Friedman friedman(MatrixView<double> scores) {
  if (scores.columns < 3) {
    throw InputError("Friedman's test of " + std::to_string(scores.columns) + " columns: it needs 3 or more");
  }
  const auto k = static_cast<double>(scores.columns);
  Friedman result{};
  result.degrees = k - 1.0;
  std::vector<double> sums(static_cast<std::size_t>(scores.columns));  // of ranks less their mean
  double tied = 0.0;
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    const auto row = scores.row(i);
    if (std::ranges::any_of(row, [](double value) { return std::isnan(value); })) {
      ++result.dropped;
      continue;
    }
    ++result.blocks;
    const std::vector<double> rank = ranks(row);
    for (std::size_t column = 0; column < sums.size(); ++column) sums[column] += rank[column] - 0.5 * (k + 1.0);
    for (const std::int64_t size : tie_sizes(row)) {
      const auto t = static_cast<double>(size);
      tied += t * t * t - t;
    }
  }
  double squares = 0.0;
  for (const double sum : sums) squares += sum * sum;
  // 12 / (n k (k + 1)) / (1 - tied / (n k (k^2 - 1))), multiplied out so that only whole numbers are subtracted.
  const auto n = static_cast<double>(result.blocks);
  result.chi_square = 12.0 * (k - 1.0) * squares / (n * k * (k * k - 1.0) - tied);
  result.p = chi_square_upper(result.chi_square, result.degrees);
  return result;
}

}  // namespace chiasm
