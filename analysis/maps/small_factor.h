// SPDX-License-Identifier: Apache-2.0
// A = L D L' of small symmetric positive definite matrices, tens of rows, where a call of LAPACK costs more than its
// arithmetic. Matrices are stored by columns, lower triangle, with sides padded to a multiple of 4: padding of A is 1
// on the diagonal and 0 elsewhere.
#pragma once

#include <cstdint>

namespace chiasm {

constexpr std::int64_t padded_to_four(std::int64_t n) { return (n + 3) / 4 * 4; }

// Overwrites the lower triangle of a [n, n], n a multiple of 4, with L (its diagonal of ones is not stored) and
// `inverse` [n] with 1 / D. What lies above the diagonal is read but does not matter; it must be finite. Returns false
// where a pivot is not above zero.
bool small_factor(std::int64_t n, double* a, double* inverse);
// Overwrites x [n] with the solution of A x = b.
void small_solve(std::int64_t n, const double* a, const double* inverse, double* x);

}  // namespace chiasm
