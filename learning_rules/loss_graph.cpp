// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/loss_graph.h"

#include "engine/passes/rewriter.h"
#include "learning_rules/feedback.h"

namespace chiasm {

ValueId objective_of(const Graph& graph) {
  const auto objective = graph.outputs().find(kObjective);
  return objective != graph.outputs().end() ? objective->second : graph.outputs().at("loss");
}

LossGraph loss_alone(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) rewriter.copy(node);
  const ValueId loss = rewriter.at(objective_of(graph)).id();
  return {std::move(rewriter.graph()), loss};
}

}  // namespace chiasm
