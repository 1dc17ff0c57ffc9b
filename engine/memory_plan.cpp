// SPDX-License-Identifier: Apache-2.0
#include "engine/memory_plan.h"

#include <algorithm>
#include <limits>

#include "engine/arena_layout.h"

namespace chiasm {
namespace {

// Positions in the order of execution. Inputs are written before the first node and outputs are read after the last
// one.
constexpr std::int64_t kBefore = -1;
constexpr std::int64_t kAfter = std::numeric_limits<std::int64_t>::max();

class Planner {
 public:
  Planner(const Graph& graph, const CpuStream& stream)
      : graph_(graph), stream_(stream), holder_(graph.value_count()), last_read_(graph.value_count(), kBefore) {
    for (std::size_t i = 0; i < holder_.size(); ++i) holder_[i] = static_cast<ValueId>(i);
    plan_.offset.assign(graph.value_count(), MemoryPlan::kNone);
    plan_.state_of.assign(graph.value_count(), -1);
    plan_.workspace_offset.assign(graph.nodes().size(), MemoryPlan::kNone);
    plan_.workspace_bytes.assign(graph.nodes().size(), 0);
    for (const auto& [name, id] : graph.states()) plan_.state_of[id] = id;
  }

  MemoryPlan run() {
    order_nodes();
    find_views();
    find_last_reads();
    write_updates_over_states();
    for (const auto& [name, id] : graph_.inputs()) place(id);
    for (std::size_t position = 0; position < plan_.order.size(); ++position) {
      visit(plan_.order[position], static_cast<std::int64_t>(position));
    }
    for (std::size_t id = 0; id < holder_.size(); ++id) {
      plan_.offset[id] = plan_.offset[holder_[id]];
      plan_.state_of[id] = plan_.state_of[holder_[id]];
    }
    plan_.arena_bytes = layout_.peak();
    return std::move(plan_);
  }

 private:
  void order_nodes() {
    std::vector<bool> commits(graph_.nodes().size(), false);
    for (const Assignment& a : graph_.assignments()) {
      const NodeId producer = graph_.producer(a.value);
      if (producer != Graph::kNoNode) commits[producer] = true;
    }
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      for (ValueId id : graph_.nodes()[i].inputs) {
        const NodeId producer = graph_.producer(id);
        if (producer != Graph::kNoNode && commits[producer]) commits[i] = true;
      }
    }
    for (const bool phase : {false, true}) {
      for (std::size_t i = 0; i < commits.size(); ++i) {
        if (commits[i] == phase) plan_.order.push_back(static_cast<NodeId>(i));
      }
      if (!phase) plan_.commit = plan_.order.size();
    }
  }

  // The value whose memory `id` is in, through views.
  void find_views() {
    for (NodeId n : plan_.order) {
      const Node& node = graph_.nodes()[n];
      if (node.op->is_view()) holder_[node.outputs[0]] = holder_[node.inputs[0]];
    }
  }

  void find_last_reads() {
    for (std::size_t position = 0; position < plan_.order.size(); ++position) {
      for (ValueId id : graph_.nodes()[plan_.order[position]].inputs) {
        last_read_[holder_[id]] = static_cast<std::int64_t>(position);
      }
    }
    for (const auto& [name, id] : graph_.inputs()) last_read_[id] = kAfter;
    for (const auto& [name, id] : graph_.outputs()) last_read_[holder_[id]] = kAfter;
  }

  // A new value of a state is written straight over the old one when its node may do so and nothing reads the old one
  // later.
  void write_updates_over_states() {
    std::vector<std::int64_t> position(graph_.nodes().size());
    for (std::size_t i = 0; i < plan_.order.size(); ++i) position[plan_.order[i]] = static_cast<std::int64_t>(i);
    for (const Assignment& a : graph_.assignments()) {
      const NodeId producer = graph_.producer(a.value);
      const bool over = producer != Graph::kNoNode && graph_.nodes()[producer].op->in_place() &&
                        holder_[a.value] == a.value && last_read_[a.state] <= position[producer] &&
                        plan_.state_of[a.value] < 0;
      if (over) {
        plan_.state_of[a.value] = a.state;
      } else {
        last_read_[holder_[a.value]] = kAfter;
        plan_.copies.push_back(a);
      }
    }
  }

  void place(ValueId id) {
    if (graph_.spec(id).bytes() > 0) plan_.offset[id] = layout_.take(graph_.spec(id).bytes());
  }

  void release(ValueId id) {
    if (plan_.offset[id] != MemoryPlan::kNone) layout_.give_back(plan_.offset[id], graph_.spec(id).bytes());
  }

  void visit(NodeId n, std::int64_t position) {
    const Node& node = graph_.nodes()[n];
    std::vector<ValueId> dying;
    for (ValueId id : node.inputs) {
      const ValueId holder = holder_[id];
      if (last_read_[holder] == position && plan_.offset[holder] != MemoryPlan::kNone) dying.push_back(holder);
    }
    std::sort(dying.begin(), dying.end());
    dying.erase(std::unique(dying.begin(), dying.end()), dying.end());

    if (!node.op->is_view()) {
      std::vector<Spec> specs;
      for (ValueId id : node.inputs) specs.push_back(graph_.spec(id));
      const std::int64_t workspace = node.op->workspace_bytes(stream_, specs);
      for (ValueId id : node.outputs) {
        if (plan_.state_of[id] >= 0) continue;
        if (!reuse_input(node, id, dying)) place(id);
      }
      if (workspace > 0) {
        plan_.workspace_bytes[n] = workspace;
        plan_.workspace_offset[n] = layout_.take(workspace);
        layout_.give_back(plan_.workspace_offset[n], workspace);
      }
    }
    for (ValueId id : dying) release(id);
    for (ValueId id : node.outputs) {
      // Computed and never read: an auxiliary output.
      if (holder_[id] == id && last_read_[id] == kBefore) release(id);
    }
  }

  // Gives `id` the memory of an input of the same spec that dies at this node.
  bool reuse_input(const Node& node, ValueId id, std::vector<ValueId>& dying) {
    if (!node.op->in_place()) return false;
    for (std::size_t k = 0; k < dying.size(); ++k) {
      if (!(graph_.spec(dying[k]) == graph_.spec(id))) continue;
      plan_.offset[id] = plan_.offset[dying[k]];
      dying.erase(dying.begin() + static_cast<std::ptrdiff_t>(k));
      return true;
    }
    return false;
  }

  const Graph& graph_;
  const CpuStream& stream_;
  MemoryPlan plan_;
  ArenaLayout layout_;
  std::vector<ValueId> holder_;
  std::vector<std::int64_t> last_read_;
};

}  // namespace

MemoryPlan plan_memory(const Graph& graph, const CpuStream& stream) { return Planner(graph, stream).run(); }

}  // namespace chiasm
