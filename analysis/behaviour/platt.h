// SPDX-License-Identifier: Apache-2.0
// Class probabilities from the margins of a classifier: a sigmoid per class (Platt 1999), normalised over classes
// (spec/neural_analysis.md section 10).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

// P(positive | margin f) = 1 / (1 + exp(slope f + offset)).
struct Sigmoid {
  double slope = 0.0;
  double offset = 0.0;

  double operator()(double margin) const;
};

// The sigmoid of largest likelihood for the smoothed targets (n_pos + 1) / (n_pos + 2) and 1 / (n_neg + 2), which keep
// it finite where the margins separate the classes. Newton's method with step halving, after Lin, Lin & Weng 2007, "A
// note on Platt's probabilistic outputs for support vector machines", continued to rounding instead of their 1e-5.
// REQUIRES: as many labels as margins, all finite.
Sigmoid fit_sigmoid(std::span<const double> margins, const std::vector<bool>& positive);

// Of each column k of the margins [images, classes], with `labels` == k the positives.
std::vector<Sigmoid> fit_sigmoids(MatrixView<double> margins, std::span<const std::int32_t> labels);
// The probabilities of the classes, which sum to 1 in each row. Where all are zero to rounding, each is 1 / classes.
Matrix<double> class_probabilities(MatrixView<double> margins, std::span<const Sigmoid> sigmoids);

}  // namespace chiasm
