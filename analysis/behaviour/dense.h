// SPDX-License-Identifier: Apache-2.0
// Dense linear algebra on chosen rows and columns, in double, on the calling thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm::dense {

double dot(std::span<const double> a, std::span<const double> b);

std::vector<double> take(std::span<const double> values, std::span<const std::int64_t> indices);
void put(std::span<const double> values, std::span<const std::int64_t> indices, std::span<double> into);
// matrix[indices, indices], the lower triangle; the rest is zero.
std::vector<double> gather_lower(MatrixView<double> matrix, std::span<const std::int64_t> indices);
// y += sum_k x_k matrix[indices_k], or of all rows when `indices` is empty and x is not.
void add_rows(MatrixView<double> matrix, std::span<const std::int64_t> indices, std::span<const double> x,
              std::span<double> y);

// The lower triangle of sum += x x' (`of_rows`) or x' x, by blocks of rows; `sum` is square without gaps.
void add_products(MatrixView<double> x, bool of_rows, std::span<double> sum);

// b <- matrix^-1 b; reads the lower triangle and destroys it. A matrix that is not positive definite because of
// rounding alone gets a ridge of that size. Throws NumericalError where values are not finite.
void solve_positive(std::vector<double>& matrix, std::vector<double>& b);
// The inverse, both triangles, in place. Throws likewise.
void invert_positive(Matrix<double>& matrix);

}  // namespace chiasm::dense
