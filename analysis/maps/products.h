// SPDX-License-Identifier: Apache-2.0
// Sums over a source that is in memory or read in blocks: moments of its units, inner products of its stimuli. In
// double whatever the element type, with the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/source.h"

namespace chiasm {

struct ColumnMoments {
  std::vector<double> mean;
  std::vector<double> squares;  // sum of (x - mean)^2; exactly 0 for a unit whose values are all equal
};

// Of each unit over the stimuli `rows`, in ascending order whatever their order here. REQUIRES: they exist and differ.
template <class T>
ColumnMoments column_moments(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows);
// The same of a matrix, over all its rows.
template <class T>
ColumnMoments column_moments(const CpuStream& stream, MatrixView<T> x);

// sum over units u of factor_u^2 (x_iu - shift_u) (x_ku - shift_u), for all stimuli i, k; an empty `factor` is 1
// everywhere. Of a source that does not fit, three quarters of most_bytes are held while the stimuli behind them are
// read in smaller blocks.
template <class T>
Matrix<double> products(const CpuStream& stream, const Source<T>& source, std::span<const double> shift,
                        std::span<const double> factor);

}  // namespace chiasm
