// SPDX-License-Identifier: Apache-2.0
// Layer operations that a rule asks for and no layer of the network has a use for.
#pragma once

#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/parameters.h"
#include "learning_rules/learning.h"

namespace chiasm {

// A sentence for each: fo_relu and bo_relu where no layer of the rule is followed by a ReLU, fo_activation and
// bo_activation where none is followed by any function, fo_bias and bo_bias where none has a bias (section 5, steps 5
// and 6). `loss` is the graph that learning steps are made from.
std::vector<std::string> idle_operations(const Graph& loss, const Learning& learning);

}  // namespace chiasm
