// SPDX-License-Identifier: Apache-2.0
// The specs of what a node reads and writes, as ops ask for them.
#pragma once

#include <vector>

#include "engine/graph.h"

namespace chiasm {

std::vector<Spec> input_specs(const Graph& graph, const Node& node);
std::vector<Spec> output_specs(const Graph& graph, const Node& node);

}  // namespace chiasm
