// SPDX-License-Identifier: Apache-2.0
#include "models/network.h"

#include "engine/ops.h"
#include "engine/passes/pass.h"
#include "kernels/reduction/mean.h"

namespace chiasm {
namespace {

Shape image_batch(const Network& network, std::int64_t batch) {
  const Shape& image = network.graph.image;
  return {batch, image[0], image[1], image[2]};
}

std::span<const Value> decoded_logits(const Network& network, const Unrolled& unrolled) {
  return std::span(unrolled.logits).subspan(static_cast<std::size_t>(network.first_decoded_step()));
}

}  // namespace

int Network::first_decoded_step() const {
  return decoder.first_step(graph.readout_arrival() + presentation.on, presentation.steps);
}

Graph build_loss(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options) {
  options.training = true;
  options.untied = network.untied;
  Graph graph;
  const Scope scope(graph, parameters, options);
  const Value image = graph.input("image", Spec{options.dtype, image_batch(network, batch)});
  const Value label = graph.input("label", Spec{DType::kInt32, {batch}});
  const Unrolled unrolled = unroll(network.graph, network.presentation, scope, image);
  graph.relabel("loss");
  const std::span<const Value> decoded = decoded_logits(network, unrolled);
  const Decision decision = decide(network.decoder, decoded);
  const auto loss_of = [&](Value logits) {
    return graph.apply(Mean{.axes = {0}}, {network.objective.losses(logits, label)});
  };
  if (network.decoder.kind == Decoder::Kind::kAll) {
    Value sum;
    for (Value logits : decoded) sum = sum ? sum + loss_of(logits) : loss_of(logits);
    const auto steps = static_cast<double>(decoded.size());
    graph.output("loss", steps == 1 ? sum : affine(sum, 1.0 / steps, 0.0));
  } else {
    graph.output("loss", loss_of(decision.logits));
  }
  graph.output("logits", decision.logits);
  scope.commit_statistics();
  return graph;
}

Graph build_training_step(const Network& network, Parameters& parameters, std::int64_t batch,
                          const Optimizer& optimizer, const BuildOptions& options) {
  Graph graph = simplify_forward(build_loss(network, parameters, batch, options), options.passes);
  append_updates(Value(&graph, graph.outputs().at("loss")), parameters, optimizer);
  return graph;
}

Graph build_evaluation(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options) {
  options.training = false;
  options.untied = network.untied;
  Graph graph;
  const Scope scope(graph, parameters, options);
  const Value image = graph.input("image", Spec{options.dtype, image_batch(network, batch)});
  const Unrolled unrolled = unroll(network.graph, network.presentation, scope, image);
  graph.relabel("readout");
  std::vector<Value> by_step;
  for (Value logits : unrolled.logits) by_step.push_back(reshape(logits, {1, batch, logits.shape()[1]}));
  graph.output("logits", concat(by_step, 0));
  const Decision decision = decide(network.decoder, decoded_logits(network, unrolled));
  graph.output("decoded", decision.logits);
  if (decision.step) graph.output("decision", decision.step);
  return graph;
}

void declare_parameters(const Network& network, Parameters& parameters, BuildOptions options) {
  options.untied = network.untied;
  Graph graph;
  const Scope scope(graph, parameters, options);
  const Value image = graph.input("image", Spec{options.dtype, image_batch(network, 1)});
  // The first step of an unroll has every state and every connection, at zero.
  Presentation one = network.presentation;
  one.steps = 1;
  unroll(network.graph, one, scope, image);
}

NetworkSummary summarise(const Network& network) {
  Parameters parameters;
  declare_parameters(network, parameters);
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
