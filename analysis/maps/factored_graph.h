// SPDX-License-Identifier: Apache-2.0
// The spatially factored map as a graph (spec/convrnn.md eq. 2.12, 2.13): channels are contracted first, as one matrix
// product for all positions, rows and units.
#pragma once

#include <string_view>

#include "analysis/maps/factored_options.h"
#include "engine/scope.h"

namespace chiasm {

inline constexpr std::string_view kSpaceWeights = "space";       // M: [positions, units], positions row-major H x W
inline constexpr std::string_view kChannelWeights = "channels";  // V: [channels, units]
inline constexpr std::string_view kBiases = "bias";              // b: [units]

struct FactoredSize {
  std::int64_t height = 1, width = 1, channels = 1;
  std::int64_t units = 1;
  std::int64_t batch = 1;
  std::int64_t positions() const { return height * width; }
};

// Throws InputError for smoothness on a layer smaller than 3 x 3, where no filter fits.
void require_fitting(const FactoredSize& size, const FactoredPenalties& penalties);

// Appends the input "features" [batch * H * W, C] and the predictions [batch, units], from parameters of the scope.
Value factored_prediction(const Scope& scope, const FactoredSize& size);
// The penalties of each unit [units]. A Value without graph where none is on. REQUIRES: they fit.
Value factored_penalty(const Scope& scope, const FactoredSize& size, const FactoredPenalties& penalties);
// The loss of each unit [units], output "objective", from the inputs "target" [batch, units] and "row_weight"
// [batch, 1]: the mean over rows where weights are 1 / rows and 0 for rows that fill up a batch. Losses of units are
// summed for the gradient: they have no parameter in common.
Value factored_objective(const Scope& scope, const FactoredSize& size, const FactoredPenalties& penalties);

}  // namespace chiasm
