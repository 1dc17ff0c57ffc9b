// SPDX-License-Identifier: Apache-2.0
// The timestep in a node's label: Scope writes "conv4/cell @t3", passes that merge nodes write "conv4/cell @t3,4,5".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

// "conv4/cell" and {3, 4, 5}; no steps where the label names none.
struct TimestepLabel {
  std::string_view place;
  std::vector<int> steps;
};
TimestepLabel parse_label(std::string_view label);

std::string label_of(std::string_view place, const std::vector<int>& steps);

}  // namespace chiasm
