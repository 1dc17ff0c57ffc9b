// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/graph.h"
#include "engine/node_specs.h"
#include "kernels/elementwise/fill.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/reshape.h"
#include "kernels/reduction/sum_to.h"

namespace chiasm {
namespace {

class Backward {
 public:
  Backward(Graph& graph, std::span<const Value> wrt) : graph_(graph), reached_(graph.value_count(), false) {
    for (const Value& value : wrt) reached_[value.id()] = true;
    for (const Node& node : graph.nodes()) {
      const bool any = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return reached_[id]; });
      for (ValueId id : node.outputs) reached_[id] = reached_[id] || any;  // it may be one of `wrt` itself
    }
    gradient_.resize(graph.value_count());
  }

  void run(Value loss) {
    const auto last = static_cast<NodeId>(graph_.nodes().size()) - 1;
    gradient_[loss.id()] = graph_.apply(Fill{loss.spec(), 1.0}, {});
    for (NodeId id = last; id >= 0; --id) {
      if (gradient_[graph_.nodes()[id].outputs[0]]) visit(id);
    }
  }

  Value gradient(Value of) {
    Value& value = gradient_[of.id()];
    if (!value) value = graph_.apply(Fill{of.spec(), 0.0}, {});
    return value;
  }

 private:
  void visit(NodeId id) {
    const Node node = graph_.nodes()[id];  // a copy: appending nodes moves the vector
    const Value dy = gradient_[node.outputs[0]];
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
      if (!reached_[node.inputs[i]] || !is_floating(graph_.spec(node.inputs[i]).dtype)) continue;
      const GradientRule rule = node.op->gradient(i);
      if (rule.kind == GradientRule::Kind::kNone) continue;
      const LabelScope label(graph_, node.label);
      const Value dx = rule.kind == GradientRule::Kind::kPassThrough ? dy : kernel(node, i, rule, dy);
      accumulate(node.inputs[i], fit(dx, graph_.spec(node.inputs[i]).shape));
    }
  }

  Value kernel(const Node& node, int input, const GradientRule& rule, Value dy) {
    const std::vector<Spec> in = input_specs(graph_, node), out = output_specs(graph_, node);
    std::vector<Value> reads{dy};
    for (int i : rule.inputs) reads.emplace_back(&graph_, node.inputs[i]);
    for (int i : rule.outputs) reads.emplace_back(&graph_, node.outputs[i]);
    return graph_.apply(node.op->gradient_op(input, in, out), reads);
  }

  // A gradient in the shape of a broadcast result is summed, one in another shape of the same elements is reshaped.
  Value fit(Value dx, const Shape& shape) {
    if (dx.shape() == shape) return dx;
    if (dx.shape().elements() == shape.elements()) return graph_.apply(Reshape{shape}, {dx});
    return graph_.apply(SumTo{shape}, {dx});
  }

  void accumulate(ValueId id, Value dx) {
    Value& sum = gradient_[id];
    sum = sum ? graph_.apply(Map<Add>{}, {sum, dx}) : dx;
  }

  Graph& graph_;
  std::vector<bool> reached_;
  std::vector<Value> gradient_;
};

}  // namespace

std::vector<Value> gradients(Value loss, std::span<const Value> wrt) {
  Backward backward(loss.graph(), wrt);
  backward.run(loss);
  std::vector<Value> result;
  for (const Value& value : wrt) result.push_back(backward.gradient(value));
  return result;
}

}  // namespace chiasm
