// SPDX-License-Identifier: Apache-2.0
// The part of a comparison's figure that is about learning rules: accuracy and alignment by rule, and alignment by
// layer. Internal to tools/compare.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/comparison.h"
#include "tools/report/layer_chart.h"

namespace chiasm {

// Rules along x, a series per network (its control hollow), in the colours of the rules where there is one network.
// Bars are the range over seeds.
LayerChart accuracy_by_rule(const std::vector<Entry>& entries);
// The mean over layers of the final weight angle; bars are the range over layers. Tied weights have none.
LayerChart angle_by_rule(const std::vector<Entry>& entries);

// Layers along x, a series per rule, for one network.
struct NetworkAlignment {
  std::string network;
  std::vector<LayerChart> charts;  // weight angle, projection angle, gradient angle, norm ratio
};
// Of the networks in which something was measured.
std::vector<NetworkAlignment> alignment_by_layer(const std::vector<Entry>& entries);

}  // namespace chiasm
