// SPDX-License-Identifier: Apache-2.0
// Which layer of a model stands for an area of the brain.
#pragma once

#include <cstdint>
#include <vector>

namespace chiasm {

// The layer with the largest median over units, of units whose score is defined; of equal ones the first; -1 when no
// score is. scores: [layers][units].
int best_layer(const std::vector<std::vector<double>>& scores);

// For how many units each layer predicts best: the layer-to-area assignment by counting (spec/convrnn.md section 6.2).
// A unit without a defined score counts nowhere; of equal scores the first layer counts.
std::vector<std::int64_t> units_won(const std::vector<std::vector<double>>& scores);

}  // namespace chiasm
