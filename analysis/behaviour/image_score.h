// SPDX-License-Identifier: Apache-2.0
// I1, how well each image's object is told from the others (spec/neural_analysis.md section 10).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

inline constexpr double kMostDPrime = 5.0;

// z(hit rate) - z(false alarm rate), clipped to +-`most`. NaN for inf - inf and for rates that are NaN.
double d_prime(double hit_rate, double false_alarm_rate, double most = kMostDPrime);

struct ImageScores {
  std::vector<double> i1;                 // of each image; NaN without any d'
  std::int64_t images_left_out = 0;       // whose i1 is NaN: rows of NaN, or no distractor with images
  std::int64_t distractors_left_out = 0;  // d' that are NaN, of the other images
};

// probabilities [images, classes], a row of NaN for an image without any (not tested); labels 0 to classes - 1. For
// image i of class t and distractor d: hit rate p_t / (p_t + p_d), false alarm rate the mean of p_t / (p_t + p_d) over
// the images of d, d' clipped, then averaged over the distractors. Rates 0 / 0 and d' that are NaN are left out of the
// averages and counted. Throws InputError for a label outside.
ImageScores image_scores(MatrixView<double> probabilities, std::span<const std::int32_t> labels);

}  // namespace chiasm
