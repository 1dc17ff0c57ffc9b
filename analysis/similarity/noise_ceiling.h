// SPDX-License-Identifier: Apache-2.0
// The noise ceiling over subjects: between which values the score of a perfect model lies, given how much the
// dissimilarity matrices of the subjects differ (Nili et al. 2014, PLoS Comput. Biol. 10:e1003553).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/similarity/compare.h"

namespace chiasm {

// What is done to the matrix of each subject before they are averaged.
enum class SubjectScale {
  kAutomatic,  // ranks for Spearman and Kendall, z for Pearson, unit length for cosine: the average is then the best
               // one for that comparison (for Kendall nearly)
  kNone,
  kRanks,
  kZ,  // mean 0, standard deviation 1
  kUnitLength,
};
// "auto", "none", "ranks", "z", "unit". Throws InputError for another name, with these.
SubjectScale parse_subject_scale(const std::string& name);

struct NoiseCeiling {
  double lower;  // mean of lower_of: each subject against the average of the others
  double upper;  // mean of upper_of: each subject against the average of all
  std::vector<double> lower_of, upper_of;
  std::int64_t pairs;    // entries that count
  std::int64_t missing;  // entries that are NaN for any subject, left out for all
};

// Throws InputError for fewer than two subjects, and for matrices of different numbers of items.
NoiseCeiling noise_ceiling(std::span<const Rdm> subjects, RdmComparison how,
                           SubjectScale scale = SubjectScale::kAutomatic);

}  // namespace chiasm
