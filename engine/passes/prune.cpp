// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace chiasm {

Graph prune(const Graph& graph) {
  std::vector<bool> needed(graph.value_count(), false);
  for (const auto& [name, id] : graph.outputs()) needed[id] = true;
  for (const Assignment& a : graph.assignments()) needed[a.value] = true;
  const std::vector<Node>& nodes = graph.nodes();
  std::vector<bool> keep(nodes.size(), false);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    keep[i] = std::any_of(nodes[i].outputs.begin(), nodes[i].outputs.end(), [&](ValueId id) { return needed[id]; });
    if (!keep[i]) continue;
    for (ValueId id : nodes[i].inputs) needed[id] = true;
  }
  Rewriter rewriter(graph);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (keep[i]) rewriter.copy(nodes[i]);
  }
  return rewriter.finish();
}

}  // namespace chiasm
