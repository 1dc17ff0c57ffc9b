// SPDX-License-Identifier: Apache-2.0
// Correlations of ranks. As pearson(): NaN where a side has no variance, has fewer than two values, or holds a NaN.
// REQUIRES: equal lengths.
#pragma once

#include <span>

namespace chiasm {

// Pearson's r of the ranks, ties averaged.
double spearman(std::span<const double> a, std::span<const double> b);

// Kendall's tau: concordant less discordant pairs, over all pairs (a), or over the geometric mean of the numbers of
// pairs that are not tied in each (b). Tau-a of a side without variance is 0, not NaN: its pairs are all tied.
struct KendallTau {
  double a;
  double b;
};
// In n log n steps (Knight 1966, J. Am. Stat. Assoc. 61:436), in whole numbers.
KendallTau kendall(std::span<const double> a, std::span<const double> b);

}  // namespace chiasm
