// SPDX-License-Identifier: Apache-2.0
#include "engine/node_specs.h"

namespace chiasm {
namespace {

std::vector<Spec> specs_of(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<Spec> specs;
  specs.reserve(values.size());
  for (ValueId id : values) specs.push_back(graph.spec(id));
  return specs;
}

}  // namespace

std::vector<Spec> input_specs(const Graph& graph, const Node& node) { return specs_of(graph, node.inputs); }

std::vector<Spec> output_specs(const Graph& graph, const Node& node) { return specs_of(graph, node.outputs); }

}  // namespace chiasm
