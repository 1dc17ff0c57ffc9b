// SPDX-License-Identifier: Apache-2.0
// Classical multidimensional scaling: items as points whose distances are near their dissimilarities
// (spec/neural_analysis.md section 9).
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/matrix.h"
#include "analysis/similarity/rdm.h"

namespace chiasm {

struct MdsPoints {
  Matrix<double> points;            // [items, dimensions]; the entry of each column that is largest is positive
  std::vector<double> eigenvalues;  // all, descending; negative ones measure how far from Euclidean the matrix is
  std::int64_t negative = 0;        // eigenvalues below -1e-12 of the largest magnitude
};

// Eigenvectors of -1/2 J D^2 J times the square roots of their eigenvalues; columns whose eigenvalue is not positive
// are 0. Throws InputError for entries that are not finite, naming the first, and unless 1 <= dimensions <= items.
MdsPoints classical_mds(const Rdm& distances, std::int64_t dimensions = 2);

}  // namespace chiasm
