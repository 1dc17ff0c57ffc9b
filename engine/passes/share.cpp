// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>

#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace chiasm {

Graph share(const Graph& graph) {
  Rewriter rewriter(graph);
  // Nodes already copied, by op name and by the new values they read. Ops of one name may still differ in parameters.
  std::map<std::pair<std::string, std::vector<ValueId>>, std::vector<const Node*>> seen;
  for (const Node& node : graph.nodes()) {
    std::vector<ValueId> inputs;
    inputs.reserve(node.inputs.size());
    for (ValueId id : node.inputs) inputs.push_back(rewriter.at(id).id());
    std::vector<const Node*>& candidates = seen[{node.op->name(), std::move(inputs)}];
    const Node* twin = nullptr;
    for (const Node* candidate : candidates) {
      if (candidate->op == node.op || candidate->op->equals(*node.op)) {
        twin = candidate;
        break;
      }
    }
    if (twin == nullptr) {
      rewriter.copy(node);
      candidates.push_back(&node);
    } else {
      for (std::size_t i = 0; i < node.outputs.size(); ++i)
        rewriter.replace(node.outputs[i], rewriter.at(twin->outputs[i]));
    }
  }
  return rewriter.finish();
}

}  // namespace chiasm
