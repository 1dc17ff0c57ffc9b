// SPDX-License-Identifier: Apache-2.0
// The factored map of one unit in plain double arithmetic, and its exact solution by alternating least squares: for
// fixed V the loss is that of ridge regression in M, and the other way round. What the engine's training is compared
// with.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm::test {

struct FactoredUnit {
  std::vector<double> space, channels;
  double bias = 0.0;
};

// Row i of the contraction of features [rows, P * C] with V (over_channels) or M.
inline Matrix<double> contracted(const Matrix<double>& x, const FactoredUnit& unit, bool over_channels) {
  const auto positions = std::ssize(unit.space), channels = std::ssize(unit.channels);
  Matrix<double> z(x.rows(), over_channels ? positions : channels);
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    for (std::int64_t p = 0; p < positions; ++p) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const double value = x(i, p * channels + c);
        if (over_channels) {
          z(i, p) += value * unit.channels[c];
        } else {
          z(i, c) += value * unit.space[p];
        }
      }
    }
  }
  return z;
}

inline std::vector<double> predicted(const Matrix<double>& x, const FactoredUnit& unit) {
  const Matrix<double> z = contracted(x, unit, true);
  std::vector<double> prediction(static_cast<std::size_t>(x.rows()), unit.bias);
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    for (std::size_t p = 0; p < unit.space.size(); ++p) prediction[i] += z.row(i)[p] * unit.space[p];
  }
  return prediction;
}

inline double squared_loss(const Matrix<double>& x, const std::vector<double>& y, const FactoredUnit& unit, double l2) {
  const std::vector<double> prediction = predicted(x, unit);
  double loss = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) loss += std::pow(prediction[i] - y[i], 2) / static_cast<double>(y.size());
  for (const double value : unit.space) loss += 0.5 * l2 * value * value;
  for (const double value : unit.channels) loss += 0.5 * l2 * value * value;
  return loss;
}

// Overwrites w with the solution of a w = w, by elimination; a is symmetric and positive definite, given by its lower
// triangle.
inline void solve(Matrix<double> a, std::vector<double>& w) {
  const std::int64_t n = a.rows();
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t k = 0; k < j; ++k) a(k, j) = a(j, k);
  }
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = j + 1; i < n; ++i) {
      const double factor = a(i, j) / a(j, j);
      for (std::int64_t k = j; k < n; ++k) a(i, k) -= factor * a(j, k);
      w[i] -= factor * w[j];
    }
  }
  for (std::int64_t j = n - 1; j >= 0; --j) {
    for (std::int64_t k = j + 1; k < n; ++k) w[j] -= a(j, k) * w[k];
    w[j] /= a(j, j);
  }
}

// The least of 1 / rows |z w + b - y|^2 + l2 / 2 |w|^2 over w and b.
inline void ridge(const Matrix<double>& z, const std::vector<double>& y, double l2, std::vector<double>& w, double& b) {
  const std::int64_t n = z.columns();
  const auto rows = static_cast<double>(z.rows());
  std::vector<double> mean(static_cast<std::size_t>(n));
  double y_mean = 0.0;
  for (std::int64_t i = 0; i < z.rows(); ++i) {
    y_mean += y[i] / rows;
    for (std::int64_t k = 0; k < n; ++k) mean[k] += z(i, k) / rows;
  }
  Matrix<double> a(n, n);
  w.assign(static_cast<std::size_t>(n), 0.0);
  for (std::int64_t i = 0; i < z.rows(); ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      w[j] += 2.0 / rows * (z(i, j) - mean[j]) * (y[i] - y_mean);
      for (std::int64_t k = 0; k <= j; ++k) a(j, k) += 2.0 / rows * (z(i, j) - mean[j]) * (z(i, k) - mean[k]);
    }
  }
  for (std::int64_t k = 0; k < n; ++k) a(k, k) += l2;
  solve(a, w);
  b = y_mean;
  for (std::int64_t k = 0; k < n; ++k) b -= w[k] * mean[k];
}

// The best of several starts, each followed until the loss stays.
inline FactoredUnit alternating_least_squares(const Matrix<double>& x, const std::vector<double>& y,
                                              std::int64_t channels, double l2) {
  FactoredUnit best;
  double least = INFINITY;
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (int start = 0; start < 5; ++start) {
    FactoredUnit unit;
    unit.space.resize(static_cast<std::size_t>(x.columns() / channels));
    unit.channels.resize(static_cast<std::size_t>(channels));
    for (double& value : unit.channels) value = normal(random);
    double loss = INFINITY;
    for (int i = 0; i < 5000; ++i) {
      ridge(contracted(x, unit, true), y, l2, unit.space, unit.bias);
      ridge(contracted(x, unit, false), y, l2, unit.channels, unit.bias);
      const double next = squared_loss(x, y, unit, l2);
      if (loss - next < 1e-13) break;
      loss = next;
    }
    if (loss < least) least = loss, best = unit;
  }
  return best;
}

}  // namespace chiasm::test
