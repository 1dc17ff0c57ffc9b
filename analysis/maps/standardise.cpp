// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/standardise.h"

#include <cmath>
#include <numeric>
#include <vector>

namespace chiasm {
namespace {

struct Scale {
  std::vector<double> mean, factor;  // of each unit
};

}  // namespace

template <class T>
Standardised<T> standardised(const Source<T>& source) {
  const auto units = static_cast<std::size_t>(source.units());
  const auto n = static_cast<double>(source.stimuli());
  auto scale = std::make_shared<Scale>(Scale{std::vector<double>(units), std::vector<double>(units)});
  std::vector<double>&mean = scale->mean, &square = scale->factor;
  // Adding up about the first row keeps the digits of features that are far from zero.
  std::vector<double> origin(units);
  source.for_each_block([&](std::int64_t first, MatrixView<T> rows) {
    if (first == 0) origin.assign(rows.row(0).begin(), rows.row(0).end());
    for (std::int64_t i = 0; i < rows.rows; ++i) {
      const auto row = rows.row(i);
      for (std::size_t k = 0; k < units; ++k) {
        const double x = static_cast<double>(row[k]) - origin[k];
        mean[k] += x;
        square[k] += x * x;
      }
    }
  });
  std::int64_t constant = 0;
  for (std::size_t k = 0; k < units; ++k) {
    mean[k] /= n;
    const double variance = square[k] / n - mean[k] * mean[k];
    // What is left of a constant after rounding is no variance.
    const bool varies = variance > 1e-14 * square[k] / n;
    constant += !varies;
    mean[k] += origin[k];
    scale->factor[k] = varies ? 1.0 / std::sqrt(variance) : 0.0;
  }
  const auto read = [source, scale](std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), first);
    Matrix<T> rows = source.rows(indices);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto row = rows.row(i);
      for (std::size_t k = 0; k < row.size(); ++k) {
        row[k] = static_cast<T>((static_cast<double>(row[k]) - scale->mean[k]) * scale->factor[k]);
      }
    }
    return rows;
  };
  return {Source<T>(source.stimuli(), source.units(), read, source.most_bytes()), constant};
}

template Standardised<float> standardised(const Source<float>&);
template Standardised<double> standardised(const Source<double>&);

}  // namespace chiasm
