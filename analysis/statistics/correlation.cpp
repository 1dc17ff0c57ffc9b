// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/correlation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Sums about the means of both sides; values that are all equal must give exactly zero, which the rounded mean of them
// need not.
struct Moments {
  double first_a = 0, first_b = 0;  // values that all others are compared with
  bool varies_a = false, varies_b = false;
  double mean_a = 0, mean_b = 0;
  double aa = 0, bb = 0, ab = 0;

  double correlation() const {
    if (!varies_a || !varies_b) return kNaN;
    // One square root makes r(a, a) exactly 1; where the product leaves the range of double, two do not.
    const double product = aa * bb;
    const double norm = std::isnormal(product) ? std::sqrt(product) : std::sqrt(aa) * std::sqrt(bb);
    return std::clamp(ab / norm, -1.0, 1.0);  // keeps a NaN
  }
};

}  // namespace

template <class T>
double pearson(std::span<const T> a, std::span<const T> b) {
  assert(a.size() == b.size());
  const auto n = static_cast<std::int64_t>(a.size());
  return column_pearson<T>({a.data(), n, 1, 1}, {b.data(), n, 1, 1})[0];
}

template <class T>
std::vector<double> column_pearson(MatrixView<T> a, MatrixView<T> b) {
  assert(a.rows == b.rows && a.columns == b.columns);
  const auto columns = static_cast<std::size_t>(a.columns);
  if (a.rows < 2) return std::vector<double>(columns, kNaN);
  // Row by row, so that memory is read in order.
  std::vector<Moments> moments(columns);
  for (std::size_t k = 0; k < columns; ++k) {
    moments[k].first_a = static_cast<double>(a.row(0)[k]);
    moments[k].first_b = static_cast<double>(b.row(0)[k]);
  }
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const auto x = a.row(i), y = b.row(i);
    for (std::size_t k = 0; k < columns; ++k) {
      const double xa = static_cast<double>(x[k]), yb = static_cast<double>(y[k]);
      moments[k].mean_a += xa;
      moments[k].mean_b += yb;
      moments[k].varies_a |= xa != moments[k].first_a;
      moments[k].varies_b |= yb != moments[k].first_b;
    }
  }
  for (Moments& m : moments) {
    m.mean_a /= static_cast<double>(a.rows);
    m.mean_b /= static_cast<double>(a.rows);
  }
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const auto x = a.row(i), y = b.row(i);
    for (std::size_t k = 0; k < columns; ++k) {
      const double xa = static_cast<double>(x[k]) - moments[k].mean_a;
      const double yb = static_cast<double>(y[k]) - moments[k].mean_b;
      moments[k].aa += xa * xa;
      moments[k].bb += yb * yb;
      moments[k].ab += xa * yb;
    }
  }
  std::vector<double> r(columns);
  std::ranges::transform(moments, r.begin(), [](const Moments& m) { return m.correlation(); });
  return r;
}

template double pearson(std::span<const float>, std::span<const float>);
template double pearson(std::span<const double>, std::span<const double>);
template std::vector<double> column_pearson(MatrixView<float>, MatrixView<float>);
template std::vector<double> column_pearson(MatrixView<double>, MatrixView<double>);

}  // namespace chiasm
