// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/rank.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chiasm {
namespace {

// Calls body(first, end) on each run of equal values of what `at` gives for [0, count), which is sorted.
template <class At, class Body>
void for_each_run(std::size_t count, const At& at, const Body& body) {
  for (std::size_t first = 0; first < count;) {
    std::size_t end = first + 1;
    while (end < count && at(end) == at(first)) ++end;
    body(first, end);
    first = end;
  }
}

}  // namespace

std::vector<double> tie_within_rounding(std::span<const double> values, double rounding) {
  constexpr double kRounding = 1e-13, kMostSteps = 8.0;
  std::vector<double> result(values.begin(), values.end());
  std::vector<std::size_t> order;
  double largest = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    order.push_back(i);
    if (std::isfinite(values[i])) largest = std::max(largest, std::fabs(values[i]));
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  const double step = std::max(rounding, kRounding * largest);
  for (std::size_t k = 1; k < order.size(); ++k) {
    const double value = values[order[k]], first = result[order[k - 1]];
    if (value - values[order[k - 1]] <= step && value - first <= kMostSteps * step) result[order[k]] = first;
  }
  return result;
}

std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order;
  order.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> result(values.size(), std::numeric_limits<double>::quiet_NaN());
  for_each_run(
      order.size(), [&](std::size_t k) { return values[order[k]]; },
      [&](std::size_t first, std::size_t end) {
        for (std::size_t k = first; k < end; ++k) result[order[k]] = 0.5 * static_cast<double>(first + 1 + end);
      });
  return result;
}

std::vector<std::int64_t> tie_sizes(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  std::vector<std::int64_t> sizes;
  for_each_run(
      sorted.size(), [&](std::size_t k) { return sorted[k]; },
      [&](std::size_t first, std::size_t end) {
        if (end - first > 1) sizes.push_back(static_cast<std::int64_t>(end - first));
      });
  return sizes;
}

}  // namespace chiasm
