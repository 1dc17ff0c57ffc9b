// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace chiasm {

// Rank of each value, 1 for the smallest; equal values share the mean of theirs. A NaN has no rank: it stays NaN, and
// the others are ranked among themselves.
std::vector<double> ranks(std::span<const double> values);

// Numbers that were computed differ where they should be equal: by rounding alone. Those that follow each other in
// order within 1e-13 of the largest magnitude (some hundred roundings of sums of a thousand terms) or within
// `rounding`, where what they were computed from was rounded already, become the smallest of them, so that ranks tie.
// Never more than eight such steps at once: among many numbers each is close to the next. A NaN stays.
std::vector<double> tie_within_rounding(std::span<const double> values, double rounding = 0.0);

// Sizes of the groups of equal values, those of 2 and more, in ascending order of the values. REQUIRES: no NaN.
std::vector<std::int64_t> tie_sizes(std::span<const double> values);

}  // namespace chiasm
