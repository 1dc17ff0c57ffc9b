// SPDX-License-Identifier: Apache-2.0
#include "engine/graph.h"

#include <utility>

#include "engine/initialiser.h"

namespace chiasm {

ValueId Graph::add_value(const Spec& spec, NodeId producer) {
  specs_.push_back(spec);
  producers_.push_back(producer);
  return static_cast<ValueId>(specs_.size() - 1);
}

Value Graph::input(const std::string& name, const Spec& spec) {
  if (inputs_.contains(name)) throw InputError("the graph already has an input \"" + name + "\"");
  const ValueId id = add_value(spec, kNoNode);
  inputs_[name] = id;
  return Value(this, id);
}

Value Graph::state(const std::string& name, const Spec& spec) {
  const auto found = states_.find(name);
  if (found != states_.end()) {
    if (!(specs_[found->second] == spec)) {
      throw ShapeError("state \"" + name + "\" is " + to_string(specs_[found->second]) + ", asked for as " +
                       to_string(spec));
    }
    return Value(this, found->second);
  }
  const ValueId id = add_value(spec, kNoNode);
  states_[name] = id;
  return Value(this, id);
}

std::vector<Value> Graph::apply_all(OpPtr op, std::span<const Value> inputs) {
  Node node;
  std::vector<Spec> specs;
  specs.reserve(inputs.size());
  node.inputs.reserve(inputs.size());
  for (const Value& value : inputs) {
    if (!value || &value.graph() != this) throw InternalError(op->name() + ": an input is not a value of this graph");
    specs.push_back(value.spec());
    node.inputs.push_back(value.id());
  }
  std::vector<Value> outputs;
  const auto id = static_cast<NodeId>(nodes_.size());
  for (const Spec& spec : op->infer(specs)) {
    node.outputs.push_back(add_value(spec, id));
    outputs.emplace_back(this, node.outputs.back());
  }
  node.op = std::move(op);
  node.label = label_;
  nodes_.push_back(std::move(node));
  return outputs;
}

std::uint32_t Graph::random_op(const std::string& label) {
  const std::uint32_t op = random_op_of(label);
  const std::string& owner = random_ops_.emplace(op, label).first->second;
  if (owner != label) throw_same_random_op(owner, label);
  return op;
}

void Graph::output(const std::string& name, Value value) {
  if (!outputs_.emplace(name, value.id()).second) {
    throw InputError("the graph already has an output \"" + name + "\"");
  }
}

void Graph::assign(Value state, Value value) {
  if (!(state.spec() == value.spec())) {
    throw ShapeError("a state " + to_string(state.spec()) + " cannot take a value " + to_string(value.spec()));
  }
  for (const Assignment& assignment : assignments_) {
    if (assignment.state == state.id()) throw InputError("a state is assigned twice in one graph");
  }
  assignments_.push_back({state.id(), value.id()});
}

std::string Graph::relabel(std::string label) { return std::exchange(label_, std::move(label)); }

}  // namespace chiasm
