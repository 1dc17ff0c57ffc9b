// SPDX-License-Identifier: Apache-2.0
#include "engine/planned_graph.h"

#include <utility>

namespace chiasm {

PlannedGraph::PlannedGraph(CompiledGraph compiled)
    : graph(std::move(compiled.graph)), plan(std::move(compiled.plan)), commits_(graph.nodes().size(), false) {
  for (std::size_t i = plan.commit; i < plan.order.size(); ++i) commits_[plan.order[i]] = true;
  std::vector<bool> seen(graph.value_count(), false);
  for (std::size_t i = plan.commit; i < plan.order.size(); ++i) {
    for (ValueId id : graph.nodes()[plan.order[i]].inputs) {
      const NodeId producer = graph.producer(id);
      // Results of other updates do not exist before the commit.
      const bool computed = producer != Graph::kNoNode && !commits_[producer];
      if (computed && plan.state_of[id] < 0 && !seen[id]) update_inputs_.push_back(id);
      seen[id] = true;
    }
  }
}

View PlannedGraph::view_of(ValueId id, std::byte* arena, std::span<std::byte* const> states) const {
  const Spec& spec = graph.spec(id);
  const ValueId state = plan.state_of[id];
  if (state >= 0) {
    if (states[state] == nullptr) {
      for (const auto& [name, known] : graph.states()) {
        if (known == state) throw InputError("the state \"" + name + "\" is not bound to a tensor");
      }
    }
    return View(states[state] + plan.offset[id], spec);
  }
  if (plan.offset[id] == MemoryPlan::kNone) return View(arena, spec);  // zero bytes
  return View(arena + plan.offset[id], spec);
}

PlannedSteps plan_steps(const PlannedGraph& planned, std::byte* arena, std::span<std::byte* const> states) {
  const MemoryPlan& plan = planned.plan;
  PlannedSteps made;
  for (std::size_t position = 0; position < plan.order.size(); ++position) {
    const NodeId n = plan.order[position];
    const Node& node = planned.graph.nodes()[n];
    if (plan.is_view[n]) continue;
    made.first_commit += position < plan.commit;
    PlannedStep step{.op = node.op.get(), .node = n};
    for (ValueId id : node.inputs) step.call.in.push_back(planned.view_of(id, arena, states));
    for (ValueId id : node.outputs) {
      const View view = planned.view_of(id, arena, states);
      step.call.out.emplace_back(const_cast<void*>(view.data()), view.spec());
    }
    if (plan.workspace_offset[n] != MemoryPlan::kNone) {
      step.workspace = {arena + plan.workspace_offset[n], static_cast<std::size_t>(plan.workspace_bytes[n])};
    }
    made.steps.push_back(std::move(step));
  }
  return made;
}

}  // namespace chiasm
