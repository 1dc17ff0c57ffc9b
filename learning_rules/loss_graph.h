// SPDX-License-Identifier: Apache-2.0
// A loss on its own: the nodes of a graph without its outputs and assignments, for computing something else from them.
#pragma once

#include "engine/graph.h"

namespace chiasm {

struct LossGraph {
  Graph graph;
  ValueId loss = -1;

  Value loss_value() { return {&graph, loss}; }
};

// What trains the network: the output kObjective where the graph has it, else "loss".
ValueId objective_of(const Graph& graph);

// With all inputs and states of `graph`, needed or not.
LossGraph loss_alone(const Graph& graph);

}  // namespace chiasm
