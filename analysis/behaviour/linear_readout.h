// SPDX-License-Identifier: Apache-2.0
// Transfer tasks: how well a linear readout of frozen features tells categories or estimates numbers
// (spec/neural_analysis.md section 11, spec/mouse_vision.md section 7).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/maps/source.h"
#include "analysis/matrix.h"
#include "analysis/statistics/split.h"
#include "kernels/stream.h"

namespace chiasm {

// The 33 values of C of equation 3.17, ascending: {1, 5} x 10^k for k = -8 to -1, 1, then {1, 5} x 10^k for k = 1 to 8.
// (5 is not among them.) The ridge penalties of 3.18 are their reciprocals.
std::vector<double> regulariser_grid();

struct LinearReadoutConfig {
  // Features beyond this number are replaced by as many principal components of the training images of each split,
  // centred and not whitened; fewer are used as they are.
  std::int64_t components = 1000;
  std::vector<double> grid = regulariser_grid();  // of C; a ridge has the penalty 1 / C
  int folds = 5;
  // By default C is chosen on the training images of the first split and used for all.
  bool choose_in_each_split = false;
  // Told after some of the work how many of `total` steps are done; returning false stops.
  std::function<bool(std::int64_t done, std::int64_t total)> progress = {};
};

struct LinearReadout {
  double score = 0.0;                 // mean over splits of what is not NaN
  std::vector<double> scores;         // of each split: accuracy, or Pearson's r averaged over outputs
  Matrix<double> output_scores;       // regression: r [splits, outputs], NaN without variance on either side
  std::vector<double> c;              // used in each split
  Matrix<double> validation;          // [choices made, grid]: mean over folds of accuracy, or of R^2
  std::int64_t outputs_left_out = 0;  // r that are NaN, left out of the mean over outputs
  int not_converged = 0;              // machines of the final fits that stopped at their limit of steps
  bool complete = true;               // false: progress stopped it, and there are no results
};

// Linear support vector machines, one class against the rest; C by the accuracy in stratified folds of the training
// images. Of equally good C the first is taken. labels 0 to classes - 1, for all images. Throws InputError for options
// outside their range, no splits, and a class with fewer training images than folds (named); NumericalError for
// features that are not finite.
template <class T>
LinearReadout classify_readout(const CpuStream& stream, const Source<T>& features, std::span<const std::int32_t> labels,
                               int classes, std::span<const Split> splits, const LinearReadoutConfig& config = {});

// Ridge with a free intercept, one penalty for all outputs [images, outputs], by R^2 = 1 - SS_res / SS_tot, averaged
// over outputs and then over contiguous folds; an output without variance in a fold has R^2 0 there, or 1 if met
// exactly.
template <class T>
LinearReadout regress_readout(const CpuStream& stream, const Source<T>& features, MatrixView<double> targets,
                              std::span<const Split> splits, const LinearReadoutConfig& config = {});

}  // namespace chiasm
