// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <utility>

#include "engine/passes/pass.h"
#include "engine/passes/pointwise_groups.h"
#include "engine/passes/rewriter.h"
#include "kernels/elementwise/fused_pointwise.h"

namespace chiasm {
namespace {

class Fuser {
 public:
  explicit Fuser(const Graph& graph)
      : graph_(graph),
        nodes_(graph.nodes()),
        functions_(fusable_functions(graph)),
        groups_(group_pointwise(graph, functions_)),
        members_(groups_.members),
        read_outside_(graph.value_count(), false) {}

  Graph run() {
    for (std::size_t g = 0; g < members_.size(); ++g) compute_again(g);
    find_read_outside();
    Rewriter rewriter(graph_);
    for (int unit : order()) {
      if (unit < group_count()) {
        emit(static_cast<std::size_t>(unit), rewriter);
      } else {
        const NodeId n = unit - group_count();
        if (!functions_[n] || read_outside_[nodes_[n].outputs[0]]) rewriter.copy(nodes_[n]);
      }
    }
    return rewriter.finish();
  }

 private:
  int group_count() const { return static_cast<int>(members_.size()); }
  // What is emitted at once: a group, or a node by itself.
  int unit_of(NodeId n) const {
    return groups_.group[n] != PointwiseGroups::kNone ? groups_.group[n] : group_count() + n;
  }
  bool produced_in(std::size_t g, ValueId id) const {
    const NodeId producer = graph_.producer(id);
    return producer != Graph::kNoNode && std::binary_search(members_[g].begin(), members_[g].end(), producer);
  }

  // Adds to a group the cheap nodes elsewhere whose results it reads and whose operands it has at hand: computing them
  // again is less work than reading their results, which often need not be kept then. The same function of the same
  // values has the same bits.
  void compute_again(std::size_t g) {
    std::vector<NodeId>& members = members_[g];
    std::set<ValueId> at_hand;
    const auto take = [&](NodeId n) {
      for (ValueId id : nodes_[n].inputs) at_hand.insert(id);
    };
    for (NodeId n : members) take(n);
    for (bool grew = true; grew;) {
      grew = false;
      for (ValueId id : std::vector<ValueId>(at_hand.begin(), at_hand.end())) {
        const NodeId producer = graph_.producer(id);
        if (producer == Graph::kNoNode || !functions_[producer] || !functions_[producer]->cheap) continue;
        if (produced_in(g, id) || !(graph_.spec(id) == graph_.spec(nodes_[members[0]].outputs[0]))) continue;
        const std::vector<ValueId>& reads = nodes_[producer].inputs;
        const bool ready =
            std::all_of(reads.begin(), reads.end(), [&](ValueId read) { return at_hand.contains(read); });
        if (!ready) continue;
        members.insert(std::upper_bound(members.begin(), members.end(), producer), producer);
        grew = true;
      }
    }
  }

  void find_read_outside() {
    for (const auto& [name, id] : graph_.outputs()) read_outside_[id] = true;
    for (const Assignment& a : graph_.assignments()) read_outside_[a.value] = true;
    const auto read = [&](std::size_t unit_group, const std::vector<NodeId>& members) {
      for (NodeId n : members) {
        for (ValueId id : nodes_[n].inputs) {
          if (unit_group == members_.size() || !produced_in(unit_group, id)) read_outside_[id] = true;
        }
      }
    };
    for (std::size_t g = 0; g < members_.size(); ++g) read(g, members_[g]);
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (groups_.group[n] == PointwiseGroups::kNone) read(members_.size(), {static_cast<NodeId>(n)});
    }
  }

  // The order of the graph, a group standing where its last member stood.
  std::vector<int> order() const {
    const std::size_t units = members_.size() + nodes_.size();
    std::vector<NodeId> position(units);
    std::vector<int> waits_for(units, 0);
    std::vector<std::vector<int>> followers(units);
    std::set<int> all;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto n = static_cast<NodeId>(i);
      const int unit = unit_of(n);
      all.insert(unit);
      position[unit] = n;
      for (ValueId id : nodes_[i].inputs) {
        const NodeId producer = graph_.producer(id);
        if (producer == Graph::kNoNode || unit_of(producer) == unit) continue;
        followers[unit_of(producer)].push_back(unit);
        ++waits_for[unit];
      }
    }
    using Entry = std::pair<NodeId, int>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> ready;
    const auto add_if_ready = [&](int unit) {
      if (waits_for[unit] == 0) ready.emplace(position[unit], unit);
    };
    for (int unit : all) add_if_ready(unit);
    std::vector<int> result;
    while (!ready.empty()) {
      const int unit = ready.top().second;
      ready.pop();
      result.push_back(unit);
      for (int follower : followers[unit]) {
        --waits_for[follower];
        add_if_ready(follower);
      }
    }
    if (result.size() != all.size()) throw InternalError("fuse_pointwise: groups depend on each other in a cycle");
    return result;
  }

  void emit(std::size_t g, Rewriter& rewriter) const {
    std::vector<NodeId> members = needed(g);
    if (members.empty()) return;
    FusedPointwise op;
    std::vector<ValueId> inputs, outputs;
    std::map<ValueId, int> operand;
    for (NodeId n : members) {
      for (ValueId id : nodes_[n].inputs) {
        if (!produced_in(g, id) && operand.emplace(id, static_cast<int>(inputs.size())).second) inputs.push_back(id);
      }
    }
    op.inputs = static_cast<int>(inputs.size());
    for (NodeId n : members) {
      const PointwiseFunction& function = *functions_[n];
      const std::vector<ValueId>& reads = nodes_[n].inputs;
      const auto append = [&](std::vector<int> operands) {
        op.instructions.push_back({function, std::move(operands)});
        return op.inputs + static_cast<int>(op.instructions.size()) - 1;
      };
      int result = 0;
      if (function.folds) {
        result = operand.at(reads[0]);
        for (std::size_t i = 1; i < reads.size(); ++i) result = append({result, operand.at(reads[i])});
      } else {
        std::vector<int> operands;
        for (int k = 0; k < function.arguments; ++k) operands.push_back(operand.at(reads[function.reads[k]]));
        result = append(std::move(operands));
      }
      const ValueId id = nodes_[n].outputs[0];
      operand[id] = result;
      if (leaves(g, n)) {
        outputs.push_back(id);
        op.outputs.push_back(result - op.inputs);
      }
    }
    std::vector<Value> values;
    for (ValueId id : inputs) values.push_back(rewriter.at(id));
    const std::string &first = nodes_[members.front()].label, &last = nodes_[members.back()].label;
    const LabelScope label(rewriter.graph(), first == last ? first : first + " to " + last);
    const std::vector<Value> results = rewriter.graph().apply_all(make_op(std::move(op)), values);
    for (std::size_t i = 0; i < outputs.size(); ++i) rewriter.replace(outputs[i], results[i]);
  }

  bool leaves(std::size_t g, NodeId n) const {
    return groups_.group[n] == static_cast<int>(g) && read_outside_[nodes_[n].outputs[0]];
  }

  // The members that something outside needs, directly or through other members.
  std::vector<NodeId> needed(std::size_t g) const {
    std::set<ValueId> wanted;
    std::vector<NodeId> kept;
    for (auto n = members_[g].rbegin(); n != members_[g].rend(); ++n) {
      if (!leaves(g, *n) && !wanted.contains(nodes_[*n].outputs[0])) continue;
      kept.push_back(*n);
      wanted.insert(nodes_[*n].inputs.begin(), nodes_[*n].inputs.end());
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
  }

  const Graph& graph_;
  const std::vector<Node>& nodes_;
  const std::vector<std::optional<PointwiseFunction>> functions_;
  const PointwiseGroups groups_;
  std::vector<std::vector<NodeId>> members_;  // of each group, with those it computes again
  std::vector<bool> read_outside_;            // per value: by another unit, or by name
};

}  // namespace

Graph fuse_pointwise(const Graph& graph) { return Fuser(graph).run(); }

}  // namespace chiasm
