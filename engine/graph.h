// SPDX-License-Identifier: Apache-2.0
// Graph: a computation as a flat list of nodes in construction order, which is a topological order. Nothing is computed
// while it is built; a Program (program.h) plans it and runs it. Backward, alignment losses and parameter updates are
// nodes of the same graph, so one training step is one graph.
//
// A graph meets the world by name:
//   inputs   filled before each run (images, labels, the learning rate);
//   states   tensors that live across runs (parameters, optimizer state, running statistics);
//   outputs  read after each run;
//   assignments  state <- value, carried out at the end of a run.
// Passes (engine/passes/) turn a graph into an equivalent one and keep the names.
#pragma once

#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/any_op.h"

namespace chiasm {

using ValueId = std::int32_t;
using NodeId = std::int32_t;

class Graph;

// A handle on a value while a graph is built. REQUIRES, for every use: the graph still lives where it was.
class Value {
 public:
  Value() = default;
  Value(Graph* graph, ValueId id) : graph_(graph), id_(id) {}

  Graph& graph() const { return *graph_; }
  ValueId id() const { return id_; }
  const Spec& spec() const;
  const Shape& shape() const { return spec().shape; }
  DType dtype() const { return spec().dtype; }
  explicit operator bool() const { return graph_ != nullptr; }
  bool operator==(const Value&) const = default;

 private:
  Graph* graph_ = nullptr;
  ValueId id_ = -1;
};

struct Node {
  OpPtr op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::string label;  // where it came from: "conv1/t3/rgc", for messages, plans and traces
};

struct Assignment {
  ValueId state;
  ValueId value;
};

class Graph {
 public:
  static constexpr NodeId kNoNode = -1;

  Graph() = default;
  Graph(const Graph&) = default;
  Graph(Graph&&) = default;
  Graph& operator=(const Graph&) = default;
  Graph& operator=(Graph&&) = default;

  // Throws InputError when the name is taken.
  Value input(const std::string& name, const Spec& spec);
  // The state of that name, made on first use. Throws ShapeError when it exists with another spec.
  Value state(const std::string& name, const Spec& spec);

  // Appends a node. Throws ShapeError when the op does not accept the inputs.
  std::vector<Value> apply_all(OpPtr op, std::span<const Value> inputs);
  Value apply(OpPtr op, std::span<const Value> inputs) { return apply_all(std::move(op), inputs)[0]; }
  template <class Op>
  Value apply(Op op, std::initializer_list<Value> inputs) {
    return apply(make_op(std::move(op)), std::span<const Value>(inputs.begin(), inputs.size()));
  }

  // Throws InputError when the name is taken.
  void output(const std::string& name, Value value);
  // At the end of a run, `state` takes `value`. Throws ShapeError when their specs differ, InputError when it is
  // assigned twice.
  void assign(Value state, Value value);

  const std::vector<Node>& nodes() const { return nodes_; }
  std::size_t value_count() const { return specs_.size(); }
  // Stays where it is while nodes are appended.
  const Spec& spec(ValueId value) const { return specs_[value]; }
  // kNoNode for inputs and states.
  NodeId producer(ValueId value) const { return producers_[value]; }
  const std::map<std::string, ValueId>& inputs() const { return inputs_; }
  const std::map<std::string, ValueId>& states() const { return states_; }
  const std::map<std::string, ValueId>& outputs() const { return outputs_; }
  const std::vector<Assignment>& assignments() const { return assignments_; }

  // A number that addresses the random draws of `label` (kernels/random/random_stream.h): the same on every machine,
  // for this label and no other of the graph. Throws InputError, naming both, when another label has this number.
  std::uint32_t random_op(const std::string& label);
  // Those of a graph that this one is made from are taken.
  void keep_random_ops(const Graph& other) { random_ops_.insert(other.random_ops_.begin(), other.random_ops_.end()); }

  // The label of nodes appended from now on. Returns the previous one.
  std::string relabel(std::string label);
  const std::string& label() const { return label_; }

 private:
  ValueId add_value(const Spec& spec, NodeId producer);

  std::vector<Node> nodes_;
  std::deque<Spec> specs_;  // not a vector: builders hold references to shapes while they append nodes
  std::vector<NodeId> producers_;
  std::map<std::string, ValueId> inputs_;
  std::map<std::string, ValueId> states_;
  std::map<std::string, ValueId> outputs_;
  std::vector<Assignment> assignments_;
  std::string label_;
  std::map<std::uint32_t, std::string> random_ops_;  // labels by number
};

inline const Spec& Value::spec() const { return graph_->spec(id_); }

// Labels nodes appended during its lifetime.
class LabelScope {
 public:
  LabelScope(Graph& graph, std::string label) : graph_(graph), previous_(graph.relabel(std::move(label))) {}
  ~LabelScope() { graph_.relabel(std::move(previous_)); }
  LabelScope(const LabelScope&) = delete;
  LabelScope& operator=(const LabelScope&) = delete;

 private:
  Graph& graph_;
  std::string previous_;
};

// Appends the gradients of `loss` (the sum of its elements) with respect to each of `wrt`, in that order, to the graph.
// Where no path leads from wrt[i] to the loss the gradient is a constant zero. Several contributions to one value are
// added in the reverse order of the nodes they come from, one after the other, so that the order is fixed and each dies
// early.
std::vector<Value> gradients(Value loss, std::span<const Value> wrt);

}  // namespace chiasm
