// SPDX-License-Identifier: Apache-2.0
// Products of a matrix with one vector, summed in double, with the same bits for any number of threads. They read the
// matrix once and are as fast as memory; a matrix product with one column packs the matrix first.
#pragma once

#include <span>

#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

double dot(std::span<const double> a, std::span<const double> b);
// y += factor * x.
void add_scaled(double factor, std::span<const double> x, std::span<double> y);

// y = X v. REQUIRES: v has the columns of x, y its rows.
template <class T>
void multiply_columns(const CpuStream& stream, MatrixView<T> x, std::span<const double> v, std::span<double> y);
// y = X' v. REQUIRES: v has the rows of x, y its columns.
template <class T>
void multiply_rows(const CpuStream& stream, MatrixView<T> x, std::span<const double> v, std::span<double> y);
// x += factor * a b'.
void add_outer(const CpuStream& stream, double factor, std::span<const double> a, std::span<const double> b,
               Matrix<double>& x);

}  // namespace chiasm
