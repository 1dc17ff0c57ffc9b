// SPDX-License-Identifier: Apache-2.0
// The softmax classifier of Brain-Score's object solution times (spec/neural_analysis.md section 10): z-scored
// features, a linear layer trained by Adam.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

struct SoftmaxOptions {
  double learning_rate = 1e-4;
  int epochs = 40;
  std::int64_t batch = 64;
  double weight_decay = 0.463;  // loss + weight_decay / 2 (|W|^2 + |b|^2)
  double enough = 1e-4;         // training ends after an epoch whose last batch has a smaller cross entropy
  std::uint64_t seed = 0;       // of the weights (a normal distribution cut at two standard deviations, of variance
                                // 1 / features; biases start at 1) and of the order of the images
};

// Probabilities [images of x, classes] for all images of x, trained on the rows `train`. Features are centred and
// divided by their standard deviation over `train` (1 where that is zero). In float, as the public implementation; the
// random numbers are ours, so that single values differ from it. On the calling thread. Throws InputError when a class
// has no training image and for options outside their range.
template <class T>
Matrix<double> softmax_probabilities(MatrixView<T> x, std::span<const std::int64_t> train,
                                     std::span<const std::int32_t> labels, int classes,
                                     const SoftmaxOptions& options = {});

}  // namespace chiasm
