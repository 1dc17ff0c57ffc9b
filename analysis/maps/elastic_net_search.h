// SPDX-License-Identifier: Apache-2.0
// Which penalties of a grid predict held-out rows best, for each target (spec/neural_analysis.md section 4.2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/elastic_net.h"
#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

struct ElasticNetGrid {
  std::vector<double> alphas, l1_ratios;  // in any order; every pair is tried
  bool alpha_over_n = false;              // divide alpha by the number of rows of each fit
  int folds = 2;                          // contiguous, of the rows in their order

  std::int64_t pairs() const { return std::ssize(alphas) * std::ssize(l1_ratios); }
  // Pair `index` in the order of alphas, then ratios; with alpha as a fit to `rows` rows uses it.
  Penalty pair(std::int64_t index, std::int64_t rows) const;
};

// The grids of the MEC studies: alphas from 1e-9 to 1e9 at equal steps of the logarithm, ratios 1e-16 and from 0.01 to
// 1 at equal steps; alpha over n, two folds.
ElasticNetGrid mec_grid();        // 99 alphas, 100 ratios
ElasticNetGrid mec_short_grid();  // 9 alphas, 10 ratios
ElasticNetGrid mec_1d_grid();     // 5 alphas, 5 ratios

struct ElasticNetScores {
  // [targets, pairs]: r of predicted and actual held-out rows, averaged over folds. NaN where it is undefined in a
  // fold: all weights zero, or a target without variance.
  Matrix<double> r;
  std::int64_t not_converged = 0;  // fits, of targets x pairs x folds
};

// Every fit is the minimum (ElasticNet::minimum), from the one beside it. Throws InputError for an empty grid, for
// penalties that are none, and for fewer rows than folds. The same bits for any number of threads.
template <class T>
ElasticNetScores elastic_net_scores(const CpuStream& stream, MatrixView<T> x, MatrixView<double> y,
                                    const ElasticNetGrid& grid);

// The index of the best pair: the first of equal ones, and NaN below all; 0 where all are NaN.
std::int64_t best_pair(std::span<const double> r);
// By group of targets (0, 1, ...): the pair with the best mean of r over the members whose r is not NaN. This is how
// one cell gets one pair for all its maps.
std::vector<std::int64_t> best_pairs_by_group(const Matrix<double>& r, std::span<const std::int64_t> group);

}  // namespace chiasm
