// SPDX-License-Identifier: Apache-2.0
#include "engine/graph_inputs.h"

namespace chiasm {

Value input_once(Graph& graph, const std::string& name, const Spec& spec) {
  const auto found = graph.inputs().find(name);
  if (found == graph.inputs().end()) return graph.input(name, spec);
  const Value value(&graph, found->second);
  if (!(value.spec() == spec)) {
    throw ShapeError("input \"" + name + "\" is " + to_string(value.spec()) + ", asked for as " + to_string(spec));
  }
  return value;
}

}  // namespace chiasm
