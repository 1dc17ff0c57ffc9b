// SPDX-License-Identifier: Apache-2.0
#include "models/layer_steps.h"

#include <algorithm>

#include "engine/passes/pass.h"
#include "engine/passes/timestep_label.h"
#include "kernels/elementwise/fill.h"
#include "kernels/indexing/broadcast.h"

namespace chiasm {
namespace {

// Calls body(layer, step, node) for every node of a layer at a timestep that computes something: constants and copies
// do not count.
template <class Body>
void for_each_computation(const Graph& graph, const TemporalGraph& layers, Body&& body) {
  for (const Node& node : graph.nodes()) {
    if (node.op->is_view() || op_cast<Fill>(*node.op) != nullptr || op_cast<Broadcast>(*node.op) != nullptr) continue;
    const TimestepLabel label = parse_label(node.label);
    const int layer = layers.index_of(label.place.substr(0, label.place.find('/')));
    if (layer < 0) continue;
    for (int step : label.steps) body(layer, step, node);
  }
}

}  // namespace

std::int64_t LayerSteps::count(LayerStep kind) const {
  std::int64_t sum = 0;
  for (const auto& steps : at) sum += std::count(steps.begin(), steps.end(), kind);
  return sum;
}

std::int64_t LayerSteps::naive() const {
  return at.empty() ? 0 : static_cast<std::int64_t>(at.size() * at.front().size());
}

LayerSteps layer_steps(const Task& task, const Network& network, std::int64_t batch, const std::string& passes) {
  Parameters parameters;
  const Graph plain = task_loss(task, network, parameters, batch, {.passes = passes});
  LayerSteps result;
  for (const Layer& layer : network.graph.layers) result.layers.push_back(layer.name);
  result.at.assign(result.layers.size(), std::vector<LayerStep>(network.presentation.steps, LayerStep::kDropped));
  // What the loss depends on is computed somewhere, here or at another step.
  for_each_computation(prune(plain), network.graph,
                       [&](int layer, int step, const Node&) { result.at[layer][step] = LayerStep::kReused; });
  const Graph simplified = simplify_forward(plain, passes);
  for_each_computation(simplified, network.graph, [&](int layer, int step, const Node& node) {
    const bool full = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      const Shape& shape = simplified.spec(id).shape;
      return shape.rank() > 1 && shape[0] == batch;
    });
    LayerStep& at = result.at[layer][step];
    if (full) at = LayerStep::kFullBatch;
    if (!full && at != LayerStep::kFullBatch) at = LayerStep::kBatchOne;
  });
  return result;
}

}  // namespace chiasm
