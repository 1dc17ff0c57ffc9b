// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/kolmogorov_smirnov.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>
#include <vector>

namespace chiasm {
namespace {

constexpr std::size_t kMostForExact = 10'000;

std::vector<double> sorted_numbers(std::span<const double> values) {
  std::vector<double> sorted;
  std::ranges::copy_if(values, std::back_inserter(sorted), [](double value) { return !std::isnan(value); });
  std::ranges::sort(sorted);
  return sorted;
}

// The largest |i m - j n|, where i of the n values of a and j of the m values of b are at most x: a whole number.
std::int64_t largest_gap(const std::vector<double>& a, const std::vector<double>& b) {
  std::size_t i = 0, j = 0;
  std::int64_t largest = 0;
  while (i < a.size() && j < b.size()) {
    const double x = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == x) ++i;
    while (j < b.size() && b[j] == x) ++j;
    largest =
        std::max(largest, std::abs(static_cast<std::int64_t>(i * b.size()) - static_cast<std::int64_t>(j * a.size())));
  }
  return largest;
}

// The share of the lattice paths from (0, 0) to (n, m) that meet a point with |i m - j n| >= gap. All terms are
// positive, so that a small share keeps its digits.
double share_of_paths(std::int64_t n, std::int64_t m, std::int64_t gap) {
  std::vector<double> share(static_cast<std::size_t>(m + 1));  // of the paths to (i, j), by j
  for (std::int64_t i = 0; i <= n; ++i) {
    for (std::int64_t j = 0; j <= m; ++j) {
      double& here = share[static_cast<std::size_t>(j)];
      if (std::abs(i * m - j * n) >= gap) {
        here = 1.0;
      } else if (i + j > 0) {
        // Of the paths to (i, j), i / (i + j) come from (i - 1, j).
        const double left = j > 0 ? share[static_cast<std::size_t>(j - 1)] : 0.0;
        here = (static_cast<double>(i) * here + static_cast<double>(j) * left) / static_cast<double>(i + j);
      }
    }
  }
  return share.back();
}

}  // namespace

double kolmogorov_upper(double x) {
  if (std::isnan(x)) return x;
  if (x <= 0.0) return 1.0;
  // Two series for one function (a theta function); each converges in a few terms on its side.
  double sum = 0.0;
  if (x < 1.0) {
    for (int k = 1; k <= 9; k += 2) sum += std::exp(-k * k * std::numbers::pi * std::numbers::pi / (8.0 * x * x));
    return 1.0 - std::sqrt(2.0 * std::numbers::pi) / x * sum;
  }
  for (int k = 1; k <= 5; ++k) sum += (k % 2 == 1 ? 2.0 : -2.0) * std::exp(-2.0 * k * k * x * x);
  return sum;
}

KolmogorovSmirnov kolmogorov_smirnov(std::span<const double> a, std::span<const double> b) {
  const std::vector<double> x = sorted_numbers(a), y = sorted_numbers(b);
  KolmogorovSmirnov result{};
  result.dropped = std::ssize(a) + std::ssize(b) - std::ssize(x) - std::ssize(y);
  if (x.empty() || y.empty()) {
    result.distance = result.p = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  const std::int64_t gap = largest_gap(x, y);
  const auto n = static_cast<double>(x.size()), m = static_cast<double>(y.size());
  result.distance = static_cast<double>(gap) / (n * m);
  result.exact = std::max(x.size(), y.size()) <= kMostForExact;
  result.p = result.exact ? share_of_paths(std::ssize(x), std::ssize(y), gap)
                          : kolmogorov_upper(result.distance * std::sqrt(n * m / (n + m)));
  return result;
}

}  // namespace chiasm
