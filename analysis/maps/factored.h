// SPDX-License-Identifier: Apache-2.0
// The spatially factored map of one layer to many units (spec/convrnn.md 6.1, eq. 2.12):
//   rhat[i, n] = b_n + sum_xy M_n[x, y] sum_c V_n[c] A[i, x, y, c]
// with H W + C + 1 coefficients per unit, trained by the engine on batches of rows to the least
//   L_n = 1 / rows sum_i (rhat[i, n] - r[i, n])^2 + penalties                                          (eq. 2.13)
// Rows are stimuli, or stimuli and timebins: rows of all timebins share the coefficients.
//
// The scaled problem. What is trained is the same map of A' = (A - mean of the feature) / a and r' = (r - mean of the
// unit) / standard deviation of the unit, over the training rows, where a is one number for the layer, or one for each
// channel (FeatureScale): the mean square of A' is 1. So rates, penalties and tolerances mean the same for every layer
// and recording; a constant prediction has the loss 1, and the loss without its penalties is 1 - R^2. Means only change
// the bias, factors are multiplied back, both exactly:
//   M = M' sd,   V = V' / a,   b = mean + sd (b' - sum_xyc M' V' mean_xyc / a).
//
// Units have no coefficient in common, all start from one draw, and each stops at its own time. So a unit's result
// depends on the others by rounding alone. M and V of a unit are determined up to a factor that moves from one to the
// other, and its sign.
#pragma once

#include <span>
#include <vector>

#include "analysis/maps/factored_batches.h"
#include "analysis/maps/factored_program.h"

namespace chiasm {

template <class T>
struct FactoredFit {
  FactoredSize size;  // batch is that of training
  FeatureScaling<T> features;
  std::vector<double> mean, deviation;  // of the units; 0 and 1 with FeatureScale::kNone
  FactoredWeights<T> weights;           // of the scaled problem
  std::vector<double> loss;             // with penalties, scaled, mean over the steps of the last epoch
  std::vector<bool> converged;          // within the limit of steps (FactoredOptions)
  std::int64_t not_converged() const;
};

// Coefficients in the units of the source and the responses.
struct FactoredCoefficients {
  Matrix<double> space;     // M [units, H * W]
  Matrix<double> channels;  // V [units, C]
  std::vector<double> bias;
};

// Height, width and channels of a layer with so many units per row: `shape` is [H, W, C], or [C] or [] for
// 1 x 1 x units.
// Throws InputError for other ranks and when the sizes do not multiply to `units`.
FactoredSize factored_layer(const Shape& shape, std::int64_t units);

// Throws InputError for rates, counts and strengths that are not positive, or negative, naming the field.
void require_valid(const FactoredOptions& options);

// Fits y [rows, units], whose row i is the response to stimulus rows[i] of the source; `features` is feature_scaling()
// of these rows. Bits do not depend on the
// threads. float is trained in float32; double is the reference, in plain loops. A source that does not fit in memory
// is read once per epoch; besides the source, about the training features of one batch and three times their
// contraction [batch, H W, units] are held, of as many units at a time as 64 MiB allow. Throws NumericalError when a
// loss is not finite any more (the rate is too large), naming the unit. REQUIRES: valid options, rows and units.
template <class T>
FactoredFit<T> fit_factored(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                            const FeatureScaling<T>& features, MatrixView<T> y, const FactoredSize& layer,
                            const FactoredOptions& options);

// Predictions [rows, units] for stimuli of a source with the same features.
template <class T>
Matrix<T> predict_factored(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                           const FactoredFit<T>& fit);

template <class T>
FactoredCoefficients coefficients(const FactoredFit<T>& fit);

}  // namespace chiasm
