// SPDX-License-Identifier: Apache-2.0
// Graph passes: functions from a graph to an equivalent graph. Names of inputs, states and outputs, and assignments,
// stay. Each pass is a file of its own and can be left out; each has a test that results do not change.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

// Drops nodes that no output and no assignment needs. Exact: nothing that is kept changes.
Graph prune(const Graph& graph);

// Computes an op once where it is applied several times to the same values ("common subexpressions"). Exact: an op is a
// function of its parameters and inputs, so both results had the same bits.
Graph share(const Graph& graph);

struct Pass {
  std::string_view name;
  Graph (*run)(const Graph&);
};

// All passes, in the order in which they run.
const std::vector<Pass>& all_passes();

// "all", "none", or names joined by commas. Throws InputError naming an unknown pass and the known ones.
std::vector<Pass> select_passes(std::string_view list);

}  // namespace chiasm
