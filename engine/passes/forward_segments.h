// SPDX-License-Identifier: Apache-2.0
// The forward part of a training step as a sequence that can be cut into segments: the half of rematerialise that looks
// at the graph and does not change it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

class ForwardSegments {
 public:
  explicit ForwardSegments(const Graph& graph);

  // Forward nodes: those that neither compute gradients nor wait for one, and run before new values of states are
  // written. A position counts them in the order of the graph.
  int size() const { return static_cast<int>(nodes_.size()); }
  // Computes a gradient, or waits for one that does.
  bool is_backward(NodeId node) const { return backward_[node]; }

  // Where to cut into `count` segments that hold about as many bytes of what the backward pass reads: positions of the
  // first nodes of the segments but the first, rather where few bytes are in flight. Fewer than count - 1 where two
  // fall together.
  std::vector<int> cut(int count) const;

  // Per value: computed before the last of `cuts` and needed by no forward node of another segment, by no output and by
  // no new value of a state, so that it can be dropped and computed again.
  std::vector<bool> dropped(std::span<const int> cuts) const;

 private:
  void classify();
  void weigh();

  const Graph& graph_;
  std::vector<NodeId> nodes_;         // forward nodes in order
  std::vector<bool> backward_;        // per node
  std::vector<ValueId> root_;         // per value: what it is a view of
  std::vector<int> last_forward_;     // per value: the last position that reads it or a view of it, or -1
  std::vector<bool> pinned_;          // per value: it or a view is read by the caller or at the end of the run
  std::vector<std::int64_t> stored_;  // per position: bytes stored for the backward pass by all nodes before it
  std::vector<std::int64_t> flight_;  // per position: bytes that cross a cut there
};

}  // namespace chiasm
