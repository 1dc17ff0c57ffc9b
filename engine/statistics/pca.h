// SPDX-License-Identifier: Apache-2.0
// Principal component analysis of a sample of rows: the orthogonal directions in which they vary most.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "kernels/stream.h"

namespace chiasm {

struct Pca {
  Tensor mean;                             // float64 [features]
  Tensor components;                       // float32 [components, features], of length 1 and orthogonal
  std::vector<double> explained_variance;  // of each, descending; divided by rows - 1
  double total_variance = 0.0;             // of the sample, over all features
};

// The first `components` of `rows`, float32 [n, features], or fewer: min(n - 1, features) at most, and only those with
// a variance above 1e-10 of the largest, because directions of the others are lost in the rounding of float32. The
// largest loading of each is positive (of equal ones, the first), so that the result does not depend on the
// eigensolver.
//
// In double, from the smaller of the covariance [features, features] and the Gram matrix of the centred rows [n, n].
// The same bits for any number of threads. Throws InputError for fewer than two rows or when all rows are equal.
Pca fit_pca(const CpuStream& stream, const Tensor& rows, std::int64_t components);

}  // namespace chiasm
