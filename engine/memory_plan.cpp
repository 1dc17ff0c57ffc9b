// SPDX-License-Identifier: Apache-2.0
#include "engine/memory_plan.h"

#include <algorithm>
#include <limits>

#include "engine/arena_layout.h"
#include "engine/value_homes.h"

namespace chiasm {
namespace {

// Positions in the order of execution. Inputs are written before the first node and outputs are read after the last
// one.
constexpr std::int64_t kBefore = -1;
constexpr std::int64_t kAfter = std::numeric_limits<std::int64_t>::max();

class Planner {
 public:
  Planner(const Graph& graph, StreamRef stream, bool share)
      : graph_(graph),
        stream_(stream),
        share_(share),
        homes_(graph.value_count()),
        last_read_(graph.value_count(), kBefore),
        is_output_(graph.value_count(), false),
        is_assigned_(graph.value_count(), false),
        is_new_value_(graph.value_count(), false) {
    plan_.offset.assign(graph.value_count(), MemoryPlan::kNone);
    plan_.state_of.assign(graph.value_count(), -1);
    plan_.is_view.assign(graph.nodes().size(), false);
    plan_.workspace_offset.assign(graph.nodes().size(), MemoryPlan::kNone);
    plan_.workspace_bytes.assign(graph.nodes().size(), 0);
    for (const auto& [name, id] : graph.states()) {
      plan_.state_of[id] = id;
      plan_.offset[id] = 0;
    }
    for (const auto& [name, id] : graph.outputs()) is_output_[id] = true;
    for (const Assignment& a : graph.assignments()) {
      is_assigned_[a.state] = true;
      is_new_value_[a.value] = true;
    }
  }

  MemoryPlan run() {
    order_nodes();
    if (share_) find_homes();
    find_last_reads();
    write_updates_over_states();
    for (const auto& [name, id] : graph_.inputs()) place(id);
    for (std::size_t position = 0; position < plan_.order.size(); ++position) {
      visit(plan_.order[position], static_cast<std::int64_t>(position));
    }
    if (!share_) place_common_workspace();
    for (MemoryPlan::Copy& copy : plan_.copies) {
      const std::int64_t bytes = graph_.spec(copy.value).bytes();
      if (plan_.state_of[root(copy.value)] >= 0 && bytes > 0) copy.staging = layout_.take(bytes);
    }
    for (ValueId id = 0; id < static_cast<ValueId>(graph_.value_count()); ++id) {
      const ValueHomes::Home home = homes_.find(id);
      plan_.state_of[id] = plan_.state_of[home.root];
      if (plan_.offset[home.root] != MemoryPlan::kNone) plan_.offset[id] = plan_.offset[home.root] + home.offset;
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

  ValueId root(ValueId id) { return homes_.find(id).root; }

  std::span<const Spec> input_specs(const Node& node) {
    specs_.clear();
    for (ValueId id : node.inputs) specs_.push_back(graph_.spec(id));
    return specs_;
  }

  void find_homes() {
    for (NodeId n : plan_.order) {
      const Node& node = graph_.nodes()[n];
      if (node.inputs.empty()) continue;
      const std::span<const Spec> specs = input_specs(node);
      const std::optional<std::int64_t> view = node.op->view_offset(specs);
      // An output shows what the run computed, also after a state that it was a view of has been written.
      const bool outlives = is_output_[node.outputs[0]] && is_assigned_[root(node.inputs[0])];
      if (view && *view % ArenaLayout::kAlignment == 0 && !outlives) {
        homes_.put(node.outputs[0], node.inputs[0], *view);
        plan_.is_view[n] = true;
        continue;
      }
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!may_be_placed(node.inputs[i])) continue;
        const std::optional<std::int64_t> part = node.op->part_offset(specs, static_cast<int>(i));
        if (part && *part % ArenaLayout::kAlignment == 0) homes_.put(node.inputs[i], node.outputs[0], *part);
      }
    }
  }

  // Whether a value may be computed inside the buffer of another one: it has a buffer of its own, and neither the
  // caller nor a state wants it elsewhere. An output would keep the whole of the other buffer until the end.
  bool may_be_placed(ValueId id) {
    return graph_.producer(id) != Graph::kNoNode && root(id) == id && !is_output_[id] && !is_new_value_[id];
  }

  void find_last_reads() {
    for (std::size_t position = 0; position < plan_.order.size(); ++position) {
      for (ValueId id : graph_.nodes()[plan_.order[position]].inputs) {
        last_read_[root(id)] = static_cast<std::int64_t>(position);
      }
    }
    for (const auto& [name, id] : graph_.inputs()) last_read_[id] = kAfter;
    for (const auto& [name, id] : graph_.outputs()) last_read_[root(id)] = kAfter;
    // The new value of one state lies in another one.
    for (const Assignment& a : graph_.assignments()) {
      if (plan_.state_of[root(a.value)] >= 0) last_read_[root(a.value)] = kAfter;
    }
  }

  // A new value of a state is written straight over the old one when its node may do so and nothing reads the old one
  // later.
  void write_updates_over_states() {
    std::vector<std::int64_t> position(graph_.nodes().size());
    for (std::size_t i = 0; i < plan_.order.size(); ++i) position[plan_.order[i]] = static_cast<std::int64_t>(i);
    for (const Assignment& a : graph_.assignments()) {
      const NodeId producer = graph_.producer(a.value);
      const bool over = share_ && producer != Graph::kNoNode && root(a.value) == a.value &&
                        last_read_[a.state] <= position[producer] && plan_.state_of[a.value] < 0 &&
                        may_write_over(graph_.nodes()[producer], a.state, graph_.spec(a.value));
      if (over) {
        plan_.state_of[a.value] = a.state;
        plan_.offset[a.value] = 0;
      } else {
        last_read_[root(a.value)] = kAfter;
        plan_.copies.push_back({a.value, a.state});
      }
    }
  }

  // Whether `node` may write a result of this spec over a buffer: it reads nothing there except element by element.
  bool may_write_over(const Node& node, ValueId buffer, const Spec& spec) {
    return node.op->in_place() && std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
             const ValueHomes::Home home = homes_.find(id);
             return home.root != buffer || (home.offset == 0 && graph_.spec(id) == spec);
           });
  }

  void place(ValueId buffer) {
    if (graph_.spec(buffer).bytes() > 0) plan_.offset[buffer] = layout_.take(graph_.spec(buffer).bytes());
  }

  void release(ValueId buffer) {
    if (share_ && plan_.offset[buffer] != MemoryPlan::kNone) {
      layout_.give_back(plan_.offset[buffer], graph_.spec(buffer).bytes());
    }
  }

  void visit(NodeId n, std::int64_t position) {
    const Node& node = graph_.nodes()[n];
    std::vector<ValueId> dying;
    for (ValueId id : node.inputs) {
      const ValueId buffer = root(id);
      if (last_read_[buffer] == position && plan_.state_of[buffer] < 0) dying.push_back(buffer);
    }
    std::sort(dying.begin(), dying.end());
    dying.erase(std::unique(dying.begin(), dying.end()), dying.end());

    if (!plan_.is_view[n]) {
      for (ValueId id : node.outputs) {
        const ValueId buffer = root(id);
        // A buffer of several parts was taken with the first of them.
        if (plan_.state_of[buffer] >= 0 || plan_.offset[buffer] != MemoryPlan::kNone) continue;
        if (!take_over_input(node, id, dying)) place(buffer);
      }
      place_workspace(n);
    }
    for (ValueId buffer : dying) release(buffer);
    for (ValueId id : node.outputs) {
      // Computed and never read: an auxiliary output.
      if (root(id) == id && last_read_[id] == kBefore && plan_.state_of[id] < 0) release(id);
    }
  }

  void place_workspace(NodeId n) {
    const Node& node = graph_.nodes()[n];
    const std::int64_t bytes = stream_.workspace_bytes(*node.op, input_specs(node));
    if (bytes == 0) return;
    plan_.workspace_bytes[n] = bytes;
    if (!share_) return;
    plan_.workspace_offset[n] = layout_.take(bytes);
    layout_.give_back(plan_.workspace_offset[n], bytes);
  }

  void place_common_workspace() {
    const std::int64_t most = plan_.workspace_bytes.empty()
                                  ? 0
                                  : *std::max_element(plan_.workspace_bytes.begin(), plan_.workspace_bytes.end());
    if (most == 0) return;
    const std::int64_t offset = layout_.take(most);
    for (std::size_t n = 0; n < plan_.workspace_bytes.size(); ++n) {
      if (plan_.workspace_bytes[n] > 0) plan_.workspace_offset[n] = offset;
    }
  }

  // Gives `id` the buffer of an input of the same spec that dies at this node.
  bool take_over_input(const Node& node, ValueId id, std::vector<ValueId>& dying) {
    if (!share_ || root(id) != id) return false;
    for (std::size_t k = 0; k < dying.size(); ++k) {
      const bool whole = graph_.spec(dying[k]).bytes() == graph_.spec(id).bytes();
      if (!whole || !may_write_over(node, dying[k], graph_.spec(id))) continue;
      plan_.offset[id] = plan_.offset[dying[k]];
      dying.erase(dying.begin() + static_cast<std::ptrdiff_t>(k));
      return true;
    }
    return false;
  }

  const Graph& graph_;
  StreamRef stream_;
  const bool share_;
  MemoryPlan plan_;
  ArenaLayout layout_;
  ValueHomes homes_;
  std::vector<std::int64_t> last_read_;  // per buffer
  std::vector<bool> is_output_;          // per value: of the graph
  std::vector<bool> is_assigned_;        // per value: a state that gets a new value
  std::vector<bool> is_new_value_;       // per value: what a state gets
  std::vector<Spec> specs_;              // of the inputs of one node
};

}  // namespace

MemoryPlan plan_memory(const Graph& graph, StreamRef stream, bool share) { return Planner(graph, stream, share).run(); }

}  // namespace chiasm
