// SPDX-License-Identifier: Apache-2.0
// The memory plan: where in one arena each value of a graph lives, from the first node that writes it to the last that
// reads it. Views share the memory of what they view, and an op that allows it writes its result over an input that
// dies.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

struct MemoryPlan {
  static constexpr std::int64_t kNone = -1;  // not in the arena: a state, or never written

  // Nodes in the order in which they run. Nodes [0, commit) compute; the rest write new values of states, and all of
  // them come last, so that a run can be abandoned before any state has changed.
  std::vector<NodeId> order;
  std::size_t commit = 0;

  std::vector<std::int64_t> offset;            // per value: its place in the arena, or kNone
  std::vector<ValueId> state_of;               // per value: the state whose memory it is written to, or -1
  std::vector<std::int64_t> workspace_offset;  // per node, or kNone
  std::vector<std::int64_t> workspace_bytes;   // per node
  std::vector<Assignment> copies;              // assignments that need a copy after the last node
  std::int64_t arena_bytes = 0;                // the peak, and the size of the arena
};

MemoryPlan plan_memory(const Graph& graph, const CpuStream& stream);

}  // namespace chiasm
