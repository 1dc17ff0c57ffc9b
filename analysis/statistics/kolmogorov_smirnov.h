// SPDX-License-Identifier: Apache-2.0
// Two-sample Kolmogorov-Smirnov: how far apart are two distributions (spec/neural_analysis.md section 8)?
#pragma once

#include <cstdint>
#include <span>

namespace chiasm {

struct KolmogorovSmirnov {
  double distance;  // sup |F1 - F2|; the score is -distance. NaN where a side is empty
  double p;
  // Up to 10000 values on either side: p counts the orders of two sets without ties, as SciPy; with ties it is too
  // large rather than too small. Beyond: Kolmogorov's limit.
  bool exact;
  std::int64_t dropped;  // NaNs on both sides, left out
};

KolmogorovSmirnov kolmogorov_smirnov(std::span<const double> a, std::span<const double> b);

// P(K >= x) of Kolmogorov's limit of sqrt(n1 n2 / (n1 + n2)) distance.
double kolmogorov_upper(double x);

}  // namespace chiasm
