// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/centred_columns.h"

#include <algorithm>
#include <numeric>

#include "kernels/simd.h"

namespace chiasm {

template <class T>
CentredColumns centred_columns(MatrixView<T> x, bool centred) {
  CentredColumns columns{Matrix<double>(x.columns, x.rows), std::vector<double>(static_cast<std::size_t>(x.columns))};
  constexpr std::int64_t kTile = 32;  // rows and columns of a tile share the cache
  for (std::int64_t i0 = 0; i0 < x.rows; i0 += kTile) {
    for (std::int64_t k0 = 0; k0 < x.columns; k0 += kTile) {
      for (std::int64_t i = i0; i < std::min(i0 + kTile, x.rows); ++i) {
        for (std::int64_t k = k0; k < std::min(k0 + kTile, x.columns); ++k) {
          columns.rows(k, i) = static_cast<double>(x(i, k));
        }
      }
    }
  }
  for (std::int64_t k = 0; centred && k < x.columns; ++k) {
    const auto row = columns.rows.row(k);
    double& mean = columns.mean[static_cast<std::size_t>(k)];
    mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(x.rows);
    if (std::ranges::all_of(row, [&](double v) { return v == row[0]; })) mean = row[0];
    for (double& v : row) v -= mean;
  }
  return columns;
}

double dot_product(const double* a, const double* b, std::int64_t n) {
  constexpr int kSums = 16;
  double result = 0.0;
  with_widest_isa([&result, a, b, n]() CHIASM_INLINE_LAMBDA {
    double sums[kSums] = {};
    std::int64_t i = 0;
    for (; i + kSums <= n; i += kSums) {
      for (int s = 0; s < kSums; ++s) sums[s] += a[i + s] * b[i + s];
    }
    for (int width = kSums / 2; width > 0; width /= 2) {
      for (int s = 0; s < width; ++s) sums[s] += sums[s + width];
    }
    double rest = 0.0;
    for (; i < n; ++i) rest += a[i] * b[i];
    result = sums[0] + rest;
  });
  return result;
}

template CentredColumns centred_columns(MatrixView<float>, bool);
template CentredColumns centred_columns(MatrixView<double>, bool);

}  // namespace chiasm
