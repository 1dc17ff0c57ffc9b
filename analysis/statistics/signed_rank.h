// SPDX-License-Identifier: Apache-2.0
// Wilcoxon's signed-rank test: are the scores a and b of the same units alike?
#pragma once

#include <cstdint>
#include <span>

namespace chiasm {

enum class Alternative { kTwoSided, kGreater, kLess };  // that a is different, greater, less

enum class SignedRankMethod {
  kAutomatic,  // exact for up to 50 pairs without zeros and ties, as SciPy
  kExact,      // over all 2^pairs signs of the ranks, those shared by ties included
  kNormal,     // variance corrected for ties, no continuity correction
};

struct SignedRank {
  double statistic;      // two-sided: the smaller sum of ranks; otherwise the sum of those where a > b
  double p;              // NaN without pairs
  std::int64_t pairs;    // with a difference that is not zero: these are ranked
  std::int64_t zeros;    // left out
  std::int64_t dropped;  // where the difference is NaN, left out
  bool exact;
};

// REQUIRES: equal lengths.
SignedRank signed_rank(std::span<const double> a, std::span<const double> b,
                       Alternative alternative = Alternative::kTwoSided,
                       SignedRankMethod method = SignedRankMethod::kAutomatic);

}  // namespace chiasm
