// SPDX-License-Identifier: Apache-2.0
#include "models/network.h"

#include "engine/batch_shape.h"
#include "engine/ops.h"
#include "kernels/indexing/slice.h"

namespace chiasm {
namespace {

Value input_of(const Network& network, const Scope& scope, std::int64_t batch) {
  return scope.graph().input(network.input_field(), Spec{scope.dtype(), with_batch(batch, network.input_shape())});
}

}  // namespace

Shape Network::input_shape() const {
  if (!frames) return graph.image;
  return with_batch(presentation.steps, graph.image);
}

std::string Network::input_field() const { return frames || graph.image.rank() == 1 ? "input" : "image"; }

int Network::first_decoded_step() const {
  return decoder.first_step(graph.readout_arrival() + presentation.on, presentation.steps);
}

Unrolled run_network(const Network& network, const Scope& scope, Value input) {
  if (!network.frames) return unroll(network.graph, network.presentation, scope, input);
  const Shape frame = with_batch(input.shape()[0], network.graph.image);
  std::vector<Value> frames;
  for (int t = 0; t < network.presentation.steps; ++t) {
    frames.push_back(reshape(scope.graph().apply(Slice{.axis = 1, .start = t, .size = 1}, {input}), frame));
  }
  return unroll(network.graph, scope, frames);
}

void declare_parameters(const Network& network, Parameters& parameters, BuildOptions options) {
  options.untied = network.untied;
  Graph graph;
  const Scope scope(graph, parameters, options);
  // The first step of an unroll has every state and every connection, at zero.
  Network one = network;
  one.presentation.steps = 1;
  run_network(one, scope, input_of(one, scope, 1));
}

Shape readout_shape(const Network& network) {
  return infer_shapes(network.graph)[static_cast<std::size_t>(network.graph.index_of(network.graph.readout))].output;
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
