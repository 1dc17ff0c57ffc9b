// SPDX-License-Identifier: Apache-2.0
// Object solution times: when the decoded score of an image first reaches the score of the primate
// (spec/neural_analysis.md section 10).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

// From which earlier bin the straight line to the first bin at or above the threshold starts.
enum class EarlierBin {
  kJustBefore,   // the last one before it
  kLargestBelow  // Brain-Score: of those before it, the one with the largest score; of equals the first
};

// `scores` of one image by bin, `times` of the bins (ms, ascending). The time at which the line passes the threshold;
// the time of the very first bin with a score where that is at or above it; NaN where no bin is, or the threshold is
// NaN. Bins with a NaN score are passed over. REQUIRES: equal lengths.
double solution_time(std::span<const double> scores, std::span<const double> times, double threshold,
                     EarlierBin earlier = EarlierBin::kJustBefore);

// Of each image: scores [images, bins], a threshold per image. Throws InputError for numbers that do not fit or times
// that do not ascend.
std::vector<double> solution_times(MatrixView<double> scores, std::span<const double> times,
                                   std::span<const double> thresholds, EarlierBin earlier = EarlierBin::kJustBefore);

struct Consistency {
  double rho = 0.0;  // Spearman, ties by their average rank; NaN for fewer than two images or no variance
  std::int64_t images = 0;
};

// Over the images that have a time (not NaN) on both sides. Throws InputError for lists of unequal length.
Consistency solution_time_consistency(std::span<const double> a, std::span<const double> b);

}  // namespace chiasm
