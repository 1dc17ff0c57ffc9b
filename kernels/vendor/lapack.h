// SPDX-License-Identifier: Apache-2.0
// Dense problems in float64, most of them symmetric, through the LAPACK inside OpenBLAS. On the calling thread alone:
// callers run several at once, and the bits do not depend on how many.
#pragma once

#include <complex>
#include <cstdint>

namespace chiasm {

// Eigenvalues, ascending, and eigenvectors of a symmetric matrix: reads the lower triangle of `a` (row-major, n x n,
// without gaps) and writes the eigenvector of values[k], of length 1, into row k. Throws NumericalError when the
// iteration does not converge or an entry is not finite.
void symmetric_eigen(std::int64_t n, double* a, double* values);

// Eigenvalues of any square matrix (row-major, n x n, without gaps), by descending real part, then descending imaginary
// part; destroys `a`. Throws NumericalError as above.
void general_eigenvalues(std::int64_t n, double* a, std::complex<double>* values);

// The factor L of A = L L', in place in the lower triangle of `a`. Returns false, with `a` destroyed, where A is not
// positive definite to rounding.
bool cholesky(std::int64_t n, double* a);
// Overwrites each of the `count` rows of b [count, n] with the solution x of A x = b, `a` being from cholesky().
void cholesky_solve(std::int64_t n, const double* a, std::int64_t count, double* b);
// Overwrites `a`, from cholesky(), with the inverse of A, both triangles.
void cholesky_invert(std::int64_t n, double* a);

}  // namespace chiasm
