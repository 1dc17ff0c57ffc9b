// SPDX-License-Identifier: Apache-2.0
// Whether OpenBLAS's kernels compute what they should on this processor. Some builds do not, with some kernels on some
// processors.
#pragma once

#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {

// What is checked; those of blas.h and lapack.h.
struct DenseRoutines {
  decltype(&gemm<double>) product = gemm<double>;
  decltype(&cholesky) factor = cholesky;
  decltype(&cholesky_solve) solve = cholesky_solve;
  decltype(&cholesky_invert) invert = cholesky_invert;
  decltype(&symmetric_eigen) eigen = symmetric_eigen;
};

// Compares products of small odd sides in every layout, Cholesky factors, solutions, inverses and eigenvectors with
// plain loops. Some ten milliseconds.
bool agree_with_loops(const DenseRoutines& routines = {});

}  // namespace chiasm
