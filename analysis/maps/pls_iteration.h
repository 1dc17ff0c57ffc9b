// SPDX-License-Identifier: Apache-2.0
// The loop over components that PLS from features and PLS from inner products share; private to pls.cpp.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "analysis/maps/pls.h"

namespace chiasm {

// How w is represented: by itself, a vector over features, or by a with w = X'a, a vector over rows.
struct PlsSpace {
  std::int64_t side = 0;
  bool dual = false;
  double squared_norm = 0.0;                                                      // |X|^2
  double least = 0.0;                                                             // e^2 of pls.h
  std::function<Matrix<double>(const Matrix<double>& y)> covariance{};            // X'Y, or X X'Y
  std::function<void(std::span<const double> w, std::span<double> t)> scores{};   // t = X w
  std::function<void(std::span<const double> t, std::span<double> u)> loading{};  // u = X't, or X X't
};

struct PlsComponents {
  // One vector per component: representations of weights and rotations, unscaled loadings u / t't, scores, y-loadings.
  std::vector<std::vector<double>> weights, rotations, loadings, scores, y_loadings;
  PlsRounds rounds;
};

PlsComponents iterate_pls(const CpuStream& stream, const PlsSpace& space, Matrix<double> y, const PlsOptions& options);

// Vectors as the columns of a matrix with `rows` rows.
Matrix<double> as_columns(const std::vector<std::vector<double>>& vectors, std::int64_t rows);

}  // namespace chiasm
