// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/rewriter.h"

namespace chiasm {

Rewriter::Rewriter(const Graph& source) : source_(source), map_(source.value_count()) {
  target_.keep_random_ops(source);
  for (const auto& [name, id] : source.inputs()) map_[id] = target_.input(name, source.spec(id));
  for (const auto& [name, id] : source.states()) map_[id] = target_.state(name, source.spec(id));
}

void Rewriter::copy(const Node& node) {
  std::vector<Value> inputs;
  inputs.reserve(node.inputs.size());
  for (ValueId id : node.inputs) inputs.push_back(map_[id]);
  const LabelScope label(target_, node.label);
  const std::vector<Value> outputs = target_.apply_all(node.op, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) map_[node.outputs[i]] = outputs[i];
}

Graph Rewriter::finish() {
  for (const auto& [name, id] : source_.outputs()) target_.output(name, map_[id]);
  for (const Assignment& a : source_.assignments()) target_.assign(map_[a.state], map_[a.value]);
  return std::move(target_);
}

}  // namespace chiasm
