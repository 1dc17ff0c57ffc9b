// SPDX-License-Identifier: Apache-2.0
// Student's t test of paired scores, and Bonferroni's correction for several tests.
#pragma once

#include <cstdint>
#include <span>

namespace chiasm {

struct PairedT {
  double t;        // infinite where all differences are equal, but not zero: p is 0
  double degrees;  // pairs - 1
  double p;        // two-sided; NaN for fewer than two pairs, and where all differences are zero
  std::int64_t pairs;
  std::int64_t dropped;  // where the difference is NaN, left out
};

// Of the mean of a - b. REQUIRES: equal lengths.
PairedT paired_t(std::span<const double> a, std::span<const double> b);

// p of one of `comparisons` tests: their number times p, at most 1; NaN stays NaN. REQUIRES: comparisons >= 1.
double bonferroni(double p, std::int64_t comparisons);

}  // namespace chiasm
