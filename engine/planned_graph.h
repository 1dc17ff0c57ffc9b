// SPDX-License-Identifier: Apache-2.0
// A compiled graph as executions see it: with which nodes commit, and where values lie once the arena and the states
// have addresses.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/compile.h"

namespace chiasm {

class PlannedGraph {
 public:
  explicit PlannedGraph(CompiledGraph compiled);

  Graph graph;  // after passes
  MemoryPlan plan;

  bool commits(NodeId node) const { return commits_[static_cast<std::size_t>(node)]; }
  // What the nodes that commit read from the arena.
  const std::vector<ValueId>& update_inputs() const { return update_inputs_; }

  // The memory of a value. `states` has the start of each state's memory by value id, and null for other values. Throws
  // InputError when the state it lies in has none.
  View view_of(ValueId id, std::byte* arena, std::span<std::byte* const> states) const;

 private:
  std::vector<bool> commits_;  // per node
  std::vector<ValueId> update_inputs_;
};

// One node with everything it needs to run.
struct PlannedStep {
  const AnyOp* op = nullptr;
  NodeId node = -1;
  OpCall call = {};
  std::span<std::byte> workspace = {};
};

// The nodes that compute something, in order; `first_commit` is the number of those before the first that commits.
struct PlannedSteps {
  std::vector<PlannedStep> steps;
  std::size_t first_commit = 0;
};
PlannedSteps plan_steps(const PlannedGraph& planned, std::byte* arena, std::span<std::byte* const> states);

}  // namespace chiasm
