// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/node_specs.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"
#include "kernels/elementwise/fill.h"
#include "kernels/indexing/broadcast.h"

namespace chiasm {
namespace {

// Values whose samples are all equal are computed for one sample ("narrow") and spread where something needs them
// whole.
class Hoist {
 public:
  explicit Hoist(const Graph& source) : source_(source), rewriter_(source), narrow_(source.value_count()) {}

  Graph run() {
    for (const Node& node : source_.nodes()) {
      if (!starts_narrow(node) && !stays_narrow(node) && !reads_narrow(node)) copy(node);
    }
    for (const auto& [name, id] : source_.outputs()) make_whole(id);
    for (const Assignment& a : source_.assignments()) make_whole(a.value);
    return rewriter_.finish();
  }

 private:
  bool has_samples(ValueId id) const {
    const Shape& shape = source_.spec(id).shape;
    return shape.rank() > 0 && shape[0] > 1;
  }
  bool is_narrow(ValueId id) const { return static_cast<bool>(narrow_[id]); }

  // Constants, and one sample repeated.
  bool starts_narrow(const Node& node) {
    const ValueId out = node.outputs[0];
    if (!has_samples(out)) return false;
    const LabelScope label(rewriter_.graph(), node.label);
    const Spec one{source_.spec(out).dtype, source_.spec(out).shape.with(0, 1)};
    if (const auto* constant = op_cast<Fill>(*node.op)) {
      narrow_[out] = rewriter_.graph().apply(Fill{one, constant->value}, {});
      return true;
    }
    if (op_cast<Broadcast>(*node.op) == nullptr) return false;
    const Shape& from = source_.spec(node.inputs[0]).shape;
    if (from.rank() == one.shape.rank() && from[0] != 1) return false;
    make_whole(node.inputs[0]);
    const Value x = rewriter_.at(node.inputs[0]);
    narrow_[out] = x.shape() == one.shape ? x : rewriter_.graph().apply(Broadcast{one.shape}, {x});
    return true;
  }

  // An op that keeps samples apart, on narrow inputs only.
  bool stays_narrow(const Node& node) {
    const std::vector<Spec> specs = input_specs(source_, node);
    const BatchRule rule = node.op->batch_rule(specs);
    if (rule.kind != BatchRule::Kind::kEach) return false;
    bool any = false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!rule.carries[i]) continue;
      if (!is_narrow(node.inputs[i])) return false;
      any = true;
    }
    if (!any) return false;
    std::vector<Value> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!rule.carries[i]) make_whole(node.inputs[i]);
      inputs.push_back(rule.carries[i] ? narrow_[node.inputs[i]] : rewriter_.at(node.inputs[i]));
    }
    append(node, specs, 1, inputs, narrow_);
    return true;
  }

  // An op that broadcasts reads one sample as well as many.
  bool reads_narrow(const Node& node) {
    if (!node.op->broadcasts()) return false;
    std::vector<Value> inputs;
    for (ValueId id : node.inputs) inputs.push_back(is_narrow(id) ? narrow_[id] : rewriter_.at(id));
    const LabelScope label(rewriter_.graph(), node.label);
    const Value out = rewriter_.graph().apply(node.op, inputs);
    // All inputs narrow, of an op that does not promise to keep samples apart.
    if (out.spec() != source_.spec(node.outputs[0])) return false;
    rewriter_.replace(node.outputs[0], out);
    return true;
  }

  void append(const Node& node, const std::vector<Spec>& specs, std::int64_t batch, const std::vector<Value>& inputs,
              std::vector<Value>& to) {
    const LabelScope label(rewriter_.graph(), node.label);
    const OpPtr resized = node.op->at_batch(specs, batch);
    const std::vector<Value> outputs = rewriter_.graph().apply_all(resized ? resized : node.op, inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) to[node.outputs[i]] = outputs[i];
  }

  void copy(const Node& node) {
    for (ValueId id : node.inputs) make_whole(id);
    rewriter_.copy(node);
  }

  // From here on the rewriter knows the value with all its samples.
  void make_whole(ValueId id) {
    if (!is_narrow(id) || rewriter_.at(id)) return;
    const Spec& spec = source_.spec(id);
    Graph& graph = rewriter_.graph();
    const NodeId producer = graph.producer(narrow_[id].id());
    const LabelScope label(graph, producer == Graph::kNoNode ? "" : graph.nodes()[producer].label);
    const Fill* constant = producer == Graph::kNoNode ? nullptr : op_cast<Fill>(*graph.nodes()[producer].op);
    rewriter_.replace(id, constant != nullptr ? graph.apply(Fill{spec, constant->value}, {})
                                              : graph.apply(Broadcast{spec.shape}, {narrow_[id]}));
  }

  const Graph& source_;
  Rewriter rewriter_;
  std::vector<Value> narrow_;  // per old value: its one sample, where all are equal
};

}  // namespace

// What fed only what is now computed for one sample is left over.
Graph hoist(const Graph& graph) { return prune(Hoist(graph).run()); }

}  // namespace chiasm
