// SPDX-License-Identifier: Apache-2.0
// Partial least squares regression of several targets (spec/neural_analysis.md section 4.1), from the features or from
// their inner products. Both give every number of components up to the largest from one fit.
//
// Neither deflates the features. With S = X'Y, of deflated Y, a round of the iteration on the weights w is a product
// with S'S or S S', whichever is smaller; both follow a deflation by a change of rank two.
//
// The number of components is capped where nothing is left to fit: at rows - 1, at the features, and where what
// remains of X along w, or of the covariance S, is rounding: |t| <= e |X| or |S| <= e |X| |Y|, with e = 8 sqrt(rows)
// epsilon(T) (from inner products, which have rounding of their own, the root of that with epsilon(double) where it is
// larger).
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

struct PlsOptions {
  int components = 25;
  // Divide features and targets by their standard deviation (divisor n - 1; one without variance by 1).
  bool scale = false;
  // false: power iteration that stops where scikit-learn's does, when a round moves w by less than 1e-3, or after 500
  // rounds. true: w is the leading singular vector of S.
  bool converged = false;
};

struct PlsRounds {
  std::vector<int> of_component;
  int not_converged = 0;  // components that stopped at 500 rounds
};

// Features as PLS fits them, made once for any number of targets.
template <class T>
struct PlsFeatures {
  Matrix<T> values;                     // [rows, features], centred and scaled
  std::vector<double> mean{}, scale{};  // of the rows; scale is 1 without options.scale
  double squared_norm = 0.0;            // of values
};
template <class T>
PlsFeatures<T> pls_features(const CpuStream& stream, Matrix<T> x, bool scale);

struct PlsFit {
  std::vector<double> x_mean, x_scale, y_mean, y_scale;
  // [features, components]: the weights W, of length 1 with their largest entry positive; the loadings P; and the
  // rotations R = W (P'W)^-1, which make the scores T = X R of the rows [rows, components] from undeflated X.
  Matrix<double> weights, loadings, rotations, scores;
  Matrix<double> y_loadings;  // C, [targets, components]
  PlsRounds rounds;

  int components() const { return static_cast<int>(weights.columns()); }
  // B [features, targets] and the constant [targets] of y = x B + constant, in the units of the data, with the first
  // `components`. REQUIRES: 0 <= components <= components().
  Matrix<double> coefficients(const CpuStream& stream, int components) const;
  std::vector<double> intercept(int components) const;
  // Of rows of raw features.
  template <class T>
  Matrix<T> predict(const CpuStream& stream, MatrixView<T> x, int components) const;
};

// y [rows, targets], finite. T is the type in which the centred features are kept; sums are in double. The same bits
// for any number of threads. REQUIRES: equal rows, at least one.
template <class T>
PlsFit fit_pls(const CpuStream& stream, const PlsFeatures<T>& x, MatrixView<T> y, const PlsOptions& options);

// The same from inner products.
struct PlsDualFit {
  Matrix<double> rotations;   // A [rows, components]: R = X'A, so that scores of any x are <x, X> A
  Matrix<double> y_loadings;  // [targets, components]
  PlsRounds rounds;
  int components() const { return static_cast<int>(rotations.columns()); }
};

// gram [rows, rows]: inner products of centred (and scaled) features; y [rows, targets]: centred (and scaled).
// `epsilon` is that of the type that the features had. options.scale is not looked at.
PlsDualFit fit_pls_dual(const CpuStream& stream, MatrixView<double> gram, Matrix<double> y, const PlsOptions& options,
                        double epsilon);

// Columns centred, in double, and divided by `scale` (standard deviations, where asked for, or 1).
struct Standardised {
  Matrix<double> values;
  std::vector<double> mean, scale;
};
template <class T>
Standardised standardise(const CpuStream& stream, MatrixView<T> y, bool scale);

}  // namespace chiasm
