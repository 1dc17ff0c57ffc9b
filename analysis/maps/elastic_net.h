// SPDX-License-Identifier: Apache-2.0
// Lasso and elastic net of many targets on the same regressors (spec/neural_analysis.md section 4.2):
//
//     min over b, b0  1/(2n) |y - X b - b0|^2 + alpha rho |b|_1 + alpha (1 - rho)/2 |b|^2
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/coordinate_descent.h"
#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

struct Penalty {
  double alpha = 1.0;
  double l1_ratio = 0.5;  // rho; 1 is the lasso
  bool operator==(const Penalty&) const = default;
};

// Throws InputError unless alpha is finite and above 0 and 0 <= l1_ratio <= 1.
void require_valid(const Penalty& penalty);

struct ElasticNetFit {
  Matrix<double> weights;          // [targets, regressors]
  std::vector<double> intercepts;  // by target
  std::int64_t not_converged = 0;  // targets
};

// Regressors prepared for any number of targets. Thread-safe.
class ElasticNet {
 public:
  // x [rows, regressors], of float or double. Throws InputError without rows. Values must be finite.
  template <class T>
  ElasticNet(const CpuStream& stream, MatrixView<T> x);

  std::int64_t rows() const { return xt_.columns(); }
  std::int64_t regressors() const { return xt_.rows(); }

  // Coordinate descent from zero for target k of y [rows, targets] with penalties[k], or with penalties[0] for all: on
  // X'X where there are at least as many rows as regressors, else on X. With the default limits these are the weights
  // of scikit-learn's Lasso and ElasticNet as they come, which are 1e-2 or more from the minimum where regressors are
  // correlated and alpha is small. Each distinct result is computed by one thread: same bits for any number of them.
  ElasticNetFit descend(const CpuStream& stream, MatrixView<double> y, std::span<const Penalty> penalties,
                        DescentLimits limits = {}) const;

  // The minimum itself, by the method of dual_newton.h, to about 1e-9 of the largest weight; for penalties as above.
  ElasticNetFit minimum(const CpuStream& stream, MatrixView<double> y, std::span<const Penalty> penalties) const;

  // Predictions [rows of x, targets].
  template <class T>
  Matrix<double> predict(const CpuStream& stream, MatrixView<T> x, const ElasticNetFit& fit) const;

 private:
  void require_fitting(MatrixView<double> y, std::span<const Penalty> penalties) const;

  Matrix<double> xt_;         // [regressors, rows], less the mean
  std::vector<double> mean_;  // of each regressor
  Matrix<double> gram_;       // empty where rows are used
};

}  // namespace chiasm
