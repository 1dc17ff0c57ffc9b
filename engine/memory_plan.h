// SPDX-License-Identifier: Apache-2.0
// The memory plan: where in one arena each value of a graph lives, from the first node that writes it to the last that
// reads it.
//
// Values live in buffers. A view (a reshape, or a slice of neighbouring samples) lives in the buffer of what it views,
// and parts that are joined along the leading axis are computed where the joined tensor needs them, so neither is
// copied. A buffer is taken when the first of its values is written and given back after the last time that any of
// them is read; an op that allows it takes over the buffer of an input that dies.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/graph.h"
#include "engine/stream_ref.h"

namespace chiasm {

struct MemoryPlan {
  static constexpr std::int64_t kNone = -1;  // never written, or without bytes

  // An assignment that is carried out by copying after the last node.
  struct Copy {
    ValueId value;
    ValueId state;
    // Where to copy `value` before any state is written, because it lies in one; kNone where it does not.
    std::int64_t staging = kNone;
  };

  // Nodes in the order in which they run. Nodes [0, commit) compute; the rest write new values of states, and all of
  // them come last, so that a run can be abandoned before any state has changed.
  std::vector<NodeId> order;
  std::size_t commit = 0;

  std::vector<std::int64_t> offset;            // per value: bytes from the start of the arena, or of the state
  std::vector<ValueId> state_of;               // per value: the state in whose memory it lies, or -1
  std::vector<bool> is_view;                   // per node: nothing to compute, the output lies in the input
  std::vector<std::int64_t> workspace_offset;  // per node, or kNone
  std::vector<std::int64_t> workspace_bytes;   // per node
  std::vector<Copy> copies;
  std::int64_t arena_bytes = 0;  // the peak, and the size of the arena
};

// Offsets are multiples of ArenaLayout::kAlignment: a slice or a part that would begin elsewhere is copied.
// Without `share`, every value has memory of its own: larger and slower, and so simple that it can serve as the
// reference.
MemoryPlan plan_memory(const Graph& graph, StreamRef stream, bool share = true);

}  // namespace chiasm
