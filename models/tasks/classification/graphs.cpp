// SPDX-License-Identifier: Apache-2.0
#include "models/tasks/classification/graphs.h"

#include "engine/passes/pass.h"
#include "models/tasks/task.h"

namespace chiasm {

Graph build_loss(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options) {
  return task_loss(*classification(), network, parameters, batch, options);
}

Graph build_training_step(const Network& network, Parameters& parameters, std::int64_t batch,
                          const Optimizer& optimizer, const BuildOptions& options) {
  Graph graph = simplify_forward(build_loss(network, parameters, batch, options), options.passes);
  append_updates(Value(&graph, graph.outputs().at("loss")), parameters, optimizer);
  return graph;
}

Graph build_evaluation(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options) {
  return task_evaluation(*classification(), network, parameters, batch, options);
}

}  // namespace chiasm
