// SPDX-License-Identifier: Apache-2.0
// Signatures: which tasks' dissimilarity matrices explain a brain area, over many random folds
// (spec/neural_analysis.md section 7).
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

struct SignatureOptions {
  int folds = 6;
  int splits = 1000;  // split s shuffles the images with seed + s
  std::uint32_t seed = 0;
  // Of each regressor; numbers 0, 1, ... The weight of a group (a task, or a cluster of tasks) in a split is the mean
  // over its regressors and the folds. Empty: each regressor is a group.
  std::vector<int> group;
  Matrix<double> contrasts;  // [contrasts, groups]: coefficients of group weights; may be empty
};

struct RdmSignature {
  std::vector<double> weight;         // by group: mean over splits
  std::vector<double> deviation;      // standard deviation over splits (divisor splits - 1; NaN for one)
  std::vector<double> contrast;       // by contrast: mean over splits
  std::vector<double> positive;       // share of splits in which the contrast is above zero
  std::vector<double> negative;       // below zero; the rest is exactly zero, where no weight of the contrast is
  double r2 = 0.0;                    // mean over splits with a defined r; NaN for none
  std::int64_t undefined_splits = 0;  // r is NaN: nothing was predicted but intercepts
  std::int64_t cells_left_out = 0;
  std::int64_t not_converged = 0;  // fits, of folds x splits
};

// One signature per target; arguments and errors of regress_rdms(). Also throws InputError for options that do not fit
// the regressors. The same bits for any number of threads.
std::vector<RdmSignature> rdm_signatures(const CpuStream& stream, std::int64_t items, MatrixView<double> regressors,
                                         MatrixView<double> targets, const SignatureOptions& options);

}  // namespace chiasm
