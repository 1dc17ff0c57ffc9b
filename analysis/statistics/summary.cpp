// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/summary.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace chiasm {
namespace {

double mean_of(std::span<const double> sorted) {
  if (sorted.front() == sorted.back()) return sorted.front();  // the rounded mean of equal values may be another
  double sum = 0.0;
  for (const double value : sorted) sum += value;
  return sum / static_cast<double>(sorted.size());
}

double squares_about(double mean, std::span<const double> values) {
  double squares = 0.0, deviations = 0.0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
    deviations += value - mean;
  }
  // Not zero because the mean is rounded; this takes its effect off.
  return squares - deviations * deviations / static_cast<double>(values.size());
}

}  // namespace

Summary summarise(std::span<const double> values) {
  std::vector<double> sorted;
  sorted.reserve(values.size());
  std::ranges::copy_if(values, std::back_inserter(sorted), [](double value) { return !std::isnan(value); });
  Summary summary{.count = std::ssize(sorted), .dropped = std::ssize(values) - std::ssize(sorted)};
  if (sorted.empty()) return summary;
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  summary.mean = mean_of(sorted);
  summary.median = sorted.size() % 2 == 1 ? sorted[middle] : mean_of(std::span(sorted).subspan(middle - 1, 2));
  if (summary.count < 2) return summary;
  const auto count = static_cast<double>(summary.count);
  summary.sd = std::sqrt(std::max(squares_about(summary.mean, sorted), 0.0) / (count - 1.0));
  summary.sem = summary.sd / std::sqrt(count);
  return summary;
}

}  // namespace chiasm
