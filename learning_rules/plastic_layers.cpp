// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/plastic_layers.h"

#include <algorithm>
#include <map>

#include "engine/optimizer.h"
#include "kernels/elementwise/map.h"
#include "kernels/loss/sigmoid_cross_entropy.h"
#include "kernels/normalization/batch_norm.h"
#include "kernels/normalization/batch_norm_inference.h"

namespace chiasm {
namespace {

class Finder {
 public:
  explicit Finder(Value loss)
      : graph_(loss.graph()), needed_(graph_.value_count(), false), readers_(graph_.value_count()) {
    for (const auto& [name, id] : graph_.states()) {
      if (!is_optimizer_state(name)) state_name_[id] = name;
    }
    needed_[loss.id()] = true;
    for (NodeId n = static_cast<NodeId>(graph_.nodes().size()) - 1; n >= 0; --n) {
      const Node& node = graph_.nodes()[n];
      if (!needs(node)) continue;
      for (ValueId id : node.inputs) {
        needed_[id] = true;
        readers_[id].push_back(n);
      }
    }
  }

  std::vector<PlasticLayer> run() {
    for (const Node& node : graph_.nodes()) {
      if (needs(node) && is_linear_operator(*node.op) && state_name_.contains(node.inputs[1])) add(node);
    }
    return std::move(layers_);
  }

 private:
  bool needs(const Node& node) const {
    return std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return needed_[id]; });
  }
  Value value(ValueId id) const { return {&graph_, id}; }

  void add(const Node& node) {
    const auto [entry, is_new] = index_.emplace(node.inputs[1], layers_.size());
    if (is_new) {
      layers_.push_back({state_name_.at(node.inputs[1]), value(node.inputs[1]), value(node.inputs[2]), {}});
    }
    Application application{
        LinearOperator(graph_, node), value(node.inputs[0]), value(node.outputs[0]), {}, {}, node.label};
    look_behind(node.outputs[0], application);
    layers_[entry->second].applications.push_back(std::move(application));
  }

  // Follows z through its bias and its batch normalisation to its activation, as long as nothing else reads it.
  void look_behind(ValueId z, Application& application) const {
    bool normalised = false;  // what is added after that is no bias of the operator
    while (readers_[z].size() == 1) {
      const Node& next = graph_.nodes()[readers_[z][0]];
      if (!application.bias && !normalised && op_cast<Map<Add>>(*next.op) != nullptr) {
        const ValueId other = next.inputs[0] == z ? next.inputs[1] : next.inputs[0];
        if (!state_name_.contains(other) || graph_.spec(other).shape.rank() != 1) return;
        application.bias = value(other);
      } else if (next.inputs[0] != z ||
                 (op_cast<BatchNorm>(*next.op) == nullptr && op_cast<BatchNormInference>(*next.op) == nullptr)) {
        if (is_activation(*next.op)) application.activation = next.op;
        // Logistic outputs, whose function is part of their loss.
        if (op_cast<SigmoidCrossEntropy>(*next.op) != nullptr && next.inputs[0] == z) {
          application.activation = make_op(Map<Sigmoid>{});
        }
        return;
      } else {
        normalised = true;
      }
      z = next.outputs[0];
    }
  }

  static bool is_activation(const AnyOp& op) {
    return op_cast<Map<Relu>>(op) != nullptr || op_cast<Map<Elu>>(op) != nullptr ||
           op_cast<Map<Sigmoid>>(op) != nullptr || op_cast<Map<Tanh>>(op) != nullptr ||
           op_cast<Map<Softplus>>(op) != nullptr;
  }

  Graph& graph_;
  std::vector<bool> needed_;                  // per value: the loss depends on it
  std::vector<std::vector<NodeId>> readers_;  // per value, among the nodes that the loss depends on
  std::map<ValueId, std::string> state_name_;
  std::map<ValueId, std::size_t> index_;  // by forward weight
  std::vector<PlasticLayer> layers_;
};

}  // namespace

std::vector<PlasticLayer> find_plastic_layers(Value loss) { return Finder(loss).run(); }

}  // namespace chiasm
