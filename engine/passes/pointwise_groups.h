// SPDX-License-Identifier: Apache-2.0
// Which element-wise nodes of a graph fuse_pointwise makes one node of.
//
// A cycle is what a careless grouping makes: a node outside a group that reads one member and feeds another. Levels
// rule it out. The level of a node is at least that of each producer of its inputs, and one more if the node cannot be
// fused. A path between two nodes of one level therefore passes through nodes that can be fused only, all of that
// level, and nodes of one level can be grouped without a look at the rest of the graph.
#pragma once

#include <optional>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

// Per node: the function that a FusedPointwise can run in its place. Nothing for other nodes, for those that run in the
// commit phase (a group is in one phase), and for those with operands that broadcast_period does not describe.
std::vector<std::optional<PointwiseFunction>> fusable_functions(const Graph& graph);

struct PointwiseGroups {
  static constexpr int kNone = -1;
  std::vector<int> group;                    // per node, or kNone
  std::vector<std::vector<NodeId>> members;  // per group: at least two, in the order of the graph, of one output spec
};

PointwiseGroups group_pointwise(const Graph& graph, const std::vector<std::optional<PointwiseFunction>>& functions);

}  // namespace chiasm
