// SPDX-License-Identifier: Apache-2.0
// A neural dissimilarity matrix as a sum of those of a model's layers, with weights that are not negative and a free
// intercept, predicted for images that were held out (spec/neural_analysis.md section 7).
//
// Matrices are vectors of their cells i < k, row by row: items (items - 1) / 2 values.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/matrix.h"
#include "analysis/statistics/split.h"
#include "kernels/stream.h"

namespace chiasm {

struct RdmRegression {
  Matrix<double> weights;          // [folds, regressors]
  std::vector<double> intercepts;  // by fold
  // By cell; the mean of both where the images lie in two folds. NaN for cells that were left out.
  std::vector<double> predicted;
  double r = 0.0;                   // of predicted and actual cells; NaN where either does not vary
  double r2 = 0.0;                  // its square
  std::int64_t cells_left_out = 0;  // not finite in the target or in any regressor
  std::int64_t not_converged = 0;   // folds whose weights are not optimal
};

// Fits each target once per fold, on the cells with neither image in it, and predicts those with one or both. Folds
// hold the images in `test`; `train` is not read. `regressors` and `targets` have a matrix per row. Throws InputError
// where a row does not have items (items - 1) / 2 cells, where the folds are not a partition of the images, and where
// one leaves no cell to train on. The same bits for any number of threads.
std::vector<RdmRegression> regress_rdms(const CpuStream& stream, std::int64_t items, MatrixView<double> regressors,
                                        MatrixView<double> targets, const std::vector<Split>& folds);

}  // namespace chiasm
