// SPDX-License-Identifier: Apache-2.0
// Distances in units of the noise, and squared distances without the bias that noise gives them (Walther et al. 2016,
// NeuroImage 137:188).
#pragma once

#include <span>

#include "analysis/matrix.h"
#include "analysis/similarity/rdm.h"
#include "analysis/similarity/shrunk_covariance.h"
#include "kernels/stream.h"

namespace chiasm {

// sqrt((x_i - x_j) C^-1 (x_i - x_j)'), rows of x [items, units]; items with a value that is not finite are undefined.
// Throws InputError where C is of other units. The same bits for any number of threads, here and below.
Rdm mahalanobis(const CpuStream& stream, MatrixView<double> x, const ShrunkCovariance& noise);

// Squared distances whose two factors come from different trials, so that their expectation is 0 for equal items and
// values may be negative: the mean over repeats r of (a_i - a_j) C^-1 (b_i - b_j)', a from repeat r, b the mean of all
// others. Not divided by the number of units. Without `noise`, C is the identity: cross-validated squared Euclidean.
// A trial counts where all its units are finite; a pair is NaN where no repeat has both items with others to compare
// with. Throws InputError for fewer than two repeats, and where they differ in shape.
Rdm cross_validated(const CpuStream& stream, std::span<const Matrix<double>> repeats, const ShrunkCovariance* noise);

}  // namespace chiasm
