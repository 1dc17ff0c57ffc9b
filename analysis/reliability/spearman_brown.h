// SPDX-License-Identifier: Apache-2.0
// Reliability of a mean over all trials from the correlation of the means over two halves of them.
#pragma once

namespace chiasm {

// 2 r / (1 + r) (Spearman 1910, Brown 1910; spec/neural_analysis.md, Notation). Not finite at r = -1.
constexpr double spearman_brown(double r) { return 2.0 * r / (1.0 + r); }

}  // namespace chiasm
