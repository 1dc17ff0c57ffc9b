// SPDX-License-Identifier: Apache-2.0
// When backward weights stay finite (spec/learning_rules.md section 10): rates of growth of a layer whose two weights
// follow one rule, and the longest step that gradient descent on the backward weight alone can take.
#pragma once

#include <string>

#include "engine/optimizer.h"
#include "learning_rules/learning_rule.h"

namespace chiasm {

// The primitives of a rule, each with the sum of its coefficients.
struct PrimitiveCoefficients {
  double amp = 0.0, decay = 0.0, null = 0.0, sparse = 0.0, self = 0.0;
};
// At `epoch` of a training of `epochs`. `angle` has no part in it: it is the task's. `layer_l2` is what
// Coefficient::layer_l2 stands for.
PrimitiveCoefficients coefficients_at(const LearningRule& rule, double epoch, double epochs, double layer_l2);

// The symmetrised flow of a layer of one weight w, one backward weight b and y = w x, without layer operations: each of
// the two takes the gradient that the rule gives b, the other one being the forward weight. With the symmetric part
// u = (w + b) / sqrt 2 and the skew part v = (w - b) / sqrt 2,
//   du/dt = -symmetric u,   dv/dt = -skew v,
// where symmetric = restraint - drive and skew = restraint + drive: a rule that drives b towards w drives w towards b,
// so that their difference shrinks at any rate and what they share grows where the drive is stronger (10.1).
//
// Of matrices with input covariance s^2 I the same holds with s^2 for x^2, except for `null`.
struct SymmetrisedRates {
  double drive = 0.0;      // amp x^2 + self - null w b x^2
  double restraint = 0.0;  // decay + sparse x^2

  double symmetric() const { return restraint - drive; }  // negative: u grows
  double skew() const { return restraint + drive; }
};
// x2: the mean of x^2, at least 0. `product` is w b, which matters to `null` alone: 0 near the origin; drive and
// restraint are equal where growth ends.
SymmetrisedRates symmetrised_rates(const PrimitiveCoefficients& c, double x2, double product = 0.0);

// "its symmetric part grows at a rate of 1.75: amp 1 * x^2 2.25 against decay 0.5", or that it does not.
std::string describe_rates(const PrimitiveCoefficients& c, double x2, double product = 0.0);

// The largest curvature of the alignment loss as a function of the backward weight, for y = W x without operations that
// depend on it:
//   decay + sparse * (largest eigenvalue of <x x^T>) + null * (largest eigenvalue of <y y^T>).
// amp and self are linear in the backward weight and bend nothing. Of a convolution, <x x^T> is summed over positions,
// x being a patch; of `null` this is then a bound. REQUIRES: coefficients and eigenvalues are at least 0.
double largest_curvature(const PrimitiveCoefficients& c, double input_eigenvalue, double output_eigenvalue);

// Below this learning rate every error of the backward weight shrinks, above it one grows; infinite for a curvature of
// zero. 2 / curvature without momentum m, 2 (1 + m) / curvature with it, and 2 (1 + m) / ((1 + 2 m) curvature) for
// Nesterov's.
double largest_stable_rate(double curvature, const Sgd& descent = {});

}  // namespace chiasm
