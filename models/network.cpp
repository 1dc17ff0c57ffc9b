// SPDX-License-Identifier: Apache-2.0
#include "models/network.h"

#include <algorithm>

#include "engine/ops.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/reduction/mean.h"

namespace chiasm {
namespace {

Shape image_batch(const Network& network, std::int64_t batch) {
  const Shape& image = network.graph.image;
  return {batch, image[0], image[1], image[2]};
}

}  // namespace

std::function<bool(std::string_view)> Network::untied_rule() const {
  if (untied.empty()) return nullptr;
  return [prefixes = untied](std::string_view path) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
      return prefix.empty() || path == prefix || path.starts_with(prefix + "/");
    });
  };
}

Graph build_training_step(const Network& network, Parameters& parameters, std::int64_t batch,
                          const Optimizer& optimizer, BuildOptions options) {
  options.training = true;
  options.untied = network.untied_rule();
  Graph graph;
  const Scope scope(graph, parameters, options);
  const Value image = graph.input("image", Spec{options.dtype, image_batch(network, batch)});
  const Value label = graph.input("label", Spec{DType::kInt32, {batch}});
  const Value logits = unroll(network.graph, network.presentation, scope, image).logits.back();
  graph.relabel("loss");
  const Value per_image = graph.apply(CrossEntropy{}, {logits, label});
  const Value loss = graph.apply(Mean{.axes = {0}}, {per_image});
  graph.output("loss", loss);
  graph.output("logits", logits);
  append_updates(loss, parameters, optimizer);
  scope.commit_statistics();
  return graph;
}

Graph build_evaluation(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options) {
  options.training = false;
  options.untied = network.untied_rule();
  Graph graph;
  const Scope scope(graph, parameters, options);
  const Value image = graph.input("image", Spec{options.dtype, image_batch(network, batch)});
  std::vector<Value> by_step;
  for (Value logits : unroll(network.graph, network.presentation, scope, image).logits) {
    by_step.push_back(reshape(logits, {1, batch, logits.shape()[1]}));
  }
  graph.relabel("readout");
  graph.output("logits", concat(by_step, 0));
  return graph;
}

NetworkSummary summarise(const Network& network) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters);
  const Value image = graph.input("image", Spec{DType::kFloat32, image_batch(network, 1)});
  // Two steps of an unroll declare every parameter: the second one has all states and all connections.
  Presentation two = network.presentation;
  two.steps = std::min(two.steps, 2);
  unroll(network.graph, two, scope, image);
  const std::vector<LayerShapes> shapes = infer_shapes(network.graph);
  const std::vector<int> arrival = network.graph.arrival_steps();
  NetworkSummary summary;
  summary.parameters = parameters.count();
  for (std::size_t i = 0; i < network.graph.layers.size(); ++i) {
    const std::string& name = network.graph.layers[i].name;
    const bool readout = name == network.graph.readout;
    summary.layers.push_back({.name = name,
                              .parameters = parameters.count(name + "/"),
                              .units = (readout ? shapes[i].output : shapes[i].units).elements(),
                              .output = shapes[i].output,
                              .arrival_step = arrival[i]});
    summary.units += summary.layers.back().units;
  }
  return summary;
}

}  // namespace chiasm
