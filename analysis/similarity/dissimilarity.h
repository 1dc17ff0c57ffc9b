// SPDX-License-Identifier: Apache-2.0
// Dissimilarity matrices of responses: rows are items (stimuli), columns are units.
#pragma once

#include <string>
#include <vector>

#include "analysis/maps/source.h"
#include "analysis/matrix.h"
#include "analysis/similarity/rdm.h"
#include "kernels/stream.h"

namespace chiasm {

enum class Dissimilarity {
  kCorrelation,       // 1 - Pearson's r across units (spec/neural_analysis.md section 5)
  kEuclidean,         // |x_i - x_j|
  kSquaredEuclidean,  // |x_i - x_j|^2
  kCosine,            // 1 - cos(x_i, x_j)
};
// "correlation", "euclidean", "sqeuclidean", "cosine". Throws InputError for another name, with these.
Dissimilarity parse_dissimilarity(const std::string& name);
std::string to_string(Dissimilarity measure);
std::vector<std::string> dissimilarity_names();

// In double, from matrix products; where a product cancels to less than a thousandth, from the differences themselves:
// equal items are exactly 0 apart. So are items that are multiples of each other to the precision of T, plus a constant
// (correlation) or not (cosine); where the factor is negative they are exactly 2 apart. `rounding` of the result is
// what rounding of x to T may do to a value. The same bits for any number of threads. An item that is constant across
// units (correlation), that is zero (cosine) or that has a value that is not finite is undefined: NaN, and listed.
template <class T>
Rdm dissimilarity(const CpuStream& stream, MatrixView<T> x, Dissimilarity measure);
// Of a source that may be larger than memory: read once for the rows and then as often as its allowance of memory asks.
// Throws NumericalError for values that are not finite, as Source does.
template <class T>
Rdm dissimilarity(const CpuStream& stream, const Source<T>& source, Dissimilarity measure);

}  // namespace chiasm
