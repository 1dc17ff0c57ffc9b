// SPDX-License-Identifier: Apache-2.0
// Inner products of a source's stimuli about the mean of the training rows of a split.
#pragma once

#include "analysis/matrix.h"
#include "analysis/statistics/split.h"

namespace chiasm {

struct CentredGram {
  Matrix<double> train;  // [train, train]: <x_i - m, x_k - m>, m the mean of the training rows
  Matrix<double> test;   // [test, train]
};

// From inner products about any one point.
CentredGram centred_gram(const Matrix<double>& gram, const Split& split);

}  // namespace chiasm
