// SPDX-License-Identifier: Apache-2.0
// How reliable the responses of each unit are: the correlation of means over two halves of the trials, over stimuli
// (spec/neural_analysis.md section 1).
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/reliability/trials.h"
#include "kernels/stream.h"

namespace chiasm {

struct SplitHalf {
  // [bins][units]: the mean over draws of SB(r), in that order; draws in which r is not defined are left out of the
  // mean; NaN when it never is.
  std::vector<std::vector<double>> reliability;
  // The same without the Spearman-Brown step: of half as many trials.
  std::vector<std::vector<double>> half_reliability;
  std::int64_t undefined = 0;  // (unit, bin, draw) where a half has no variance or lacks a stimulus
};

// Published with 900 draws. The same bits for any number of threads. Throws InputError for fewer than two repeats, and
// for draws < 1.
SplitHalf split_half(const CpuStream& stream, const Trials& trials, int draws, std::uint64_t seed);

}  // namespace chiasm
