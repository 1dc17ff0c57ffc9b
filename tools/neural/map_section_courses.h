// SPDX-License-Identifier: Apache-2.0
// The parts of the section of `chiasm map` that are about time. Internal to map_section.cpp.
#pragma once

#include <string>
#include <vector>

#include "tools/neural/result_node.h"

namespace chiasm {

// A chart of the median score in each time bin, one line per layer; "" without time bins. `layers` holds the scores of
// one area by layer.
std::string scores_over_time(const std::vector<std::string>& names, const std::vector<ResultNode>& layers,
                             bool corrected);

// Responses of a few units over time beside what was predicted.
std::string time_courses(const ResultNode& course);

}  // namespace chiasm
