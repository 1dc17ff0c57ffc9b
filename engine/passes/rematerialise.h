// SPDX-License-Identifier: Apache-2.0
// rematerialise: fits a training step into a memory budget by computing parts of its forward pass twice.
//
// The forward nodes, in their order, are cut into segments, preferably where little is in flight: between timesteps.
// Values that cross a cut are kept for the backward pass. Those inside a segment are dropped, and computed again right
// before the first backward node that reads one of them. The last segment is not dropped: its backward pass follows at
// once. With K equal segments of T steps the memory is of the order of K + T / K, so that of sqrt(T) at best, for at
// most one more forward pass. Exact: the same ops see the same values, so every bit stays.
#pragma once

#include <cstdint>

#include "engine/graph.h"
#include "engine/stream_ref.h"

namespace chiasm {

struct Rematerialised {
  Graph graph;
  std::int64_t recomputed_flops = 0;  // what is computed twice
  std::int64_t peak_bytes = 0;        // planned arena; above the budget where no way was found to meet it
};

// The graph that computes the least twice among those tried whose planned memory is at most `budget_bytes`; where none
// is, the one with the least memory. It must be the last pass: `share` would undo it. Nodes run in their order here
// (see MemoryPlan).
Rematerialised rematerialise(const Graph& graph, std::int64_t budget_bytes, StreamRef stream);

}  // namespace chiasm
