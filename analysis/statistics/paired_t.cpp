// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/paired_t.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <vector>

#include "analysis/statistics/summary.h"
#include "analysis/statistics/tails.h"

namespace chiasm {

PairedT paired_t(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  std::vector<double> differences(a.size());
  std::ranges::transform(a, b, differences.begin(), std::minus<>{});
  const Summary summary = summarise(differences);
  const double t = summary.mean / summary.sem;
  const double degrees = static_cast<double>(summary.count) - 1.0;
  return {t, degrees, student_t_two_sided(t, degrees), summary.count, summary.dropped};
}

double bonferroni(double p, std::int64_t comparisons) {
  const double corrected = p * static_cast<double>(comparisons);
  return corrected > 1.0 ? 1.0 : corrected;
}

}  // namespace chiasm
