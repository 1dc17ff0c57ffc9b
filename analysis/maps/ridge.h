// SPDX-License-Identifier: Apache-2.0
// Ridge regression (spec/neural_analysis.md section 4.2): min |y - X b - b0|^2 + alpha |b|^2, with a free intercept.
// One factorisation of the training rows serves every penalty and every target.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/centred_gram.h"
#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

// Centred X = U D V'. Fitted values of centred y are L h(alpha) L'y g, and predictions T h(alpha) L'y, where
// h = 1 / (d^2 + alpha), and directions in which X does not vary, to rounding, have h = 0:
// - from inner products, L = U, T = <test, X> U and g = d^2;
// - from features, L = X V, T = test V and g = 1.
// T is the type in which targets are multiplied; the factorisation is in double.
template <class T>
struct RidgeBasis {
  Matrix<T> left;               // L, [train, directions]
  Matrix<T> test;               // T, [test, directions]
  std::vector<double> squares;  // d^2, 0 where X does not vary
  bool from_products = false;
  Matrix<double> left_squares;  // of L, from which leverages are summed
};

// Both cut off d^2 below rows * epsilon(double) of the largest. REQUIRES: two training rows or more.
template <class T>
RidgeBasis<T> ridge_basis(const CpuStream& stream, const CentredGram& gram);
// Rows about the mean of the training rows.
template <class T>
RidgeBasis<T> ridge_basis(const CpuStream& stream, const Matrix<double>& train, const Matrix<double>& test);

// [test, targets], with the penalty of each target. y [train, targets].
template <class T>
Matrix<T> ridge_predict(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                        std::span<const double> alphas);
// Mean squared error over the training rows, each predicted by a fit to the others, in closed form: [alphas, targets].
// What RidgeCV of scikit-learn minimises. REQUIRES: alphas > 0.
template <class T>
Matrix<double> leave_one_out_errors(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                                    std::span<const double> alphas);
// For each target the penalty with the least of these errors, of equals the first. From inner products in double,
// float32 decides where its rounding cannot change the choice, and only the other targets are summed in double.
template <class T>
std::vector<double> choose_by_leave_one_out(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                                            std::span<const double> alphas);
// Pearson correlation of predictions with `truth` [test, targets], for every penalty: [alphas, targets]. NaN where it
// is not defined.
template <class T>
Matrix<double> test_correlations(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                                 MatrixView<T> truth, std::span<const double> alphas);

}  // namespace chiasm
