// SPDX-License-Identifier: Apache-2.0
// The one-to-one map (spec/neural_analysis.md section 4.3): a target is predicted by the raw response of the source
// unit with the largest signed Pearson correlation on the training stimuli.
#pragma once

#include <span>
#include <vector>

#include "analysis/maps/products.h"
#include "analysis/maps/source.h"

namespace chiasm {

struct BestUnits {
  std::vector<std::int64_t> unit;   // of each target; -1 where no correlation is defined
  std::vector<double> correlation;  // NaN there
};

// For each column of y [rows, targets] the unit of the source, over the stimuli `rows`, that correlates most; `moments`
// are those of the source over these rows. Of units whose correlations differ by less than 1e-12, which is their
// rounding, the first counts. Units and targets without variance have no correlation.
template <class T>
BestUnits best_units(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                     const ColumnMoments& moments, MatrixView<T> y);

}  // namespace chiasm
