// SPDX-License-Identifier: Apache-2.0
#include "tests/support/running_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/config/config.h"

namespace chiasm::test {

Network network_of(const std::string& json) { return read_network(Config::parse(json, "test").root()); }

std::string refusal_of(const std::string& json) {
  try {
    network_of(json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

RunningNetwork::RunningNetwork(const Network& network, std::int64_t batch, const std::string& passes) {
  Graph graph;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64, .untied = network.untied_rule()});
  const Shape& s = network.graph.image;
  const Value image = graph.input("image", Spec{DType::kFloat64, {batch, s[0], s[1], s[2]}});
  const Unrolled u = unroll(network.graph, network.presentation, scope, image);
  for (std::size_t i = 0; i < u.output.size(); ++i) {
    for (std::size_t t = 0; t < u.output[i].size(); ++t) {
      graph.output(network.graph.layers[i].name + "/" + std::to_string(t), u.output[i][t]);
    }
  }
  parameters.initialise(1);
  program.emplace(graph, ProgramOptions{.threads = 1, .passes = passes});
  program->bind_all(parameters.tensors());
}

void RunningNetwork::set(const std::string& name, const std::vector<double>& values) {
  ASSERT_TRUE(parameters.tensors().contains(name)) << name;
  const std::span<double> to = parameters.tensors()[name].values<double>();
  ASSERT_EQ(to.size(), values.size()) << name;
  std::copy(values.begin(), values.end(), to.begin());
}

void RunningNetwork::show(double shift) {
  const MutableView image = program->input("image");
  for (std::int64_t i = 0; i < image.elements(); ++i) {
    image.as<double>()[i] = std::sin(0.7 * static_cast<double>(i)) + 0.1;
  }
  image.as<double>()[image.elements() / 2] += shift;
}

View RunningNetwork::at(const std::string& layer, int step) const {
  return program->output(layer + "/" + std::to_string(step));
}

Tensor RunningNetwork::copy_of(const std::string& layer, int step) const {
  const View view = at(layer, step);
  return Tensor::of<double>(view.shape(), {view.as<double>(), static_cast<std::size_t>(view.elements())});
}

}  // namespace chiasm::test
