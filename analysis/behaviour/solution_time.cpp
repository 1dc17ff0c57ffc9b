// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/solution_time.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>

#include "analysis/statistics/rank_correlation.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double solution_time(std::span<const double> scores, std::span<const double> times, double threshold,
                     EarlierBin earlier) {
  assert(scores.size() == times.size());
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::size_t below = kNone;
  for (std::size_t bin = 0; bin < scores.size(); ++bin) {
    if (scores[bin] >= threshold) {
      if (below == kNone) return times[bin];
      return times[below] + (times[bin] - times[below]) * (threshold - scores[below]) / (scores[bin] - scores[below]);
    }
    const bool is_below = scores[bin] < threshold;  // no NaN on either side
    if (is_below && (below == kNone || earlier == EarlierBin::kJustBefore || scores[bin] > scores[below])) below = bin;
  }
  return kNaN;
}

std::vector<double> solution_times(MatrixView<double> scores, std::span<const double> times,
                                   std::span<const double> thresholds, EarlierBin earlier) {
  if (scores.columns != std::ssize(times) || scores.rows != std::ssize(thresholds)) {
    throw InputError("solution times of " + std::to_string(scores.rows) + " images in " +
                     std::to_string(scores.columns) + " bins: found " + std::to_string(thresholds.size()) +
                     " thresholds and " + std::to_string(times.size()) + " times");
  }
  if (std::ranges::adjacent_find(times, [](double a, double b) { return !(a < b); }) != times.end()) {
    throw InputError("the times of the bins of solution times must ascend");
  }
  std::vector<double> solved;
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    solved.push_back(solution_time(scores.row(i), times, thresholds[static_cast<std::size_t>(i)], earlier));
  }
  return solved;
}

Consistency solution_time_consistency(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw InputError("the consistency of solution times of " + std::to_string(a.size()) + " images with those of " +
                     std::to_string(b.size()));
  }
  std::vector<double> both_a, both_b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    both_a.push_back(a[i]);
    both_b.push_back(b[i]);
  }
  return {spearman(both_a, both_b), std::ssize(both_a)};
}

}  // namespace chiasm
