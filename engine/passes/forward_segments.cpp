// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/forward_segments.h"

#include <algorithm>
#include <cstdlib>

namespace chiasm {

ForwardSegments::ForwardSegments(const Graph& graph)
    : graph_(graph),
      backward_(graph.nodes().size(), false),
      root_(graph.value_count()),
      last_forward_(graph.value_count(), -1),
      pinned_(graph.value_count(), false) {
  classify();
  weigh();
}

void ForwardSegments::classify() {
  for (std::size_t id = 0; id < root_.size(); ++id) root_[id] = static_cast<ValueId>(id);
  for (const auto& [name, id] : graph_.outputs()) pinned_[id] = true;
  std::vector<bool> writes(graph_.nodes().size(), false);  // runs when states are written
  for (const Assignment& a : graph_.assignments()) {
    pinned_[a.value] = true;
    if (graph_.producer(a.value) != Graph::kNoNode) writes[graph_.producer(a.value)] = true;
  }
  for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.nodes()[n];
    backward_[n] = node.op->is_gradient();
    std::vector<Spec> specs;
    for (ValueId id : node.inputs) {
      const NodeId producer = graph_.producer(id);
      if (producer != Graph::kNoNode) {
        backward_[n] = backward_[n] || backward_[producer];
        writes[n] = writes[n] || writes[producer];
      }
      specs.push_back(graph_.spec(id));
    }
    if (!specs.empty() && node.op->view_offset(specs)) root_[node.outputs[0]] = root_[node.inputs[0]];
    if (writes[n]) {
      backward_[n] = false;
      for (ValueId id : node.inputs) pinned_[id] = true;
    } else if (!backward_[n]) {
      for (ValueId id : node.inputs) last_forward_[id] = size();
      nodes_.push_back(static_cast<NodeId>(n));
    }
  }
  // A view is kept or dropped with what it is a view of.
  for (std::size_t id = 0; id < root_.size(); ++id) {
    pinned_[root_[id]] = pinned_[root_[id]] || pinned_[id];
    last_forward_[root_[id]] = std::max(last_forward_[root_[id]], last_forward_[id]);
  }
}

void ForwardSegments::weigh() {
  std::vector<bool> is_stored(graph_.value_count(), false);
  for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
    if (!backward_[n]) continue;
    for (ValueId id : graph_.nodes()[n].inputs) is_stored[root_[id]] = true;
  }
  stored_.assign(nodes_.size() + 1, 0);
  flight_.assign(nodes_.size() + 1, 0);
  for (std::size_t p = 0; p < nodes_.size(); ++p) {
    stored_[p + 1] = stored_[p];
    for (ValueId id : graph_.nodes()[nodes_[p]].outputs) {
      if (root_[id] != id) continue;
      const std::int64_t bytes = graph_.spec(id).bytes();
      if (is_stored[id]) stored_[p + 1] += bytes;
      // In flight at the cuts before positions p + 1 to last_forward_.
      if (last_forward_[id] <= static_cast<int>(p)) continue;
      flight_[p + 1] += bytes;
      flight_[last_forward_[id] + 1] -= bytes;
    }
  }
  for (std::size_t p = 1; p < flight_.size(); ++p) flight_[p] += flight_[p - 1];
}

std::vector<int> ForwardSegments::cut(int count) const {
  std::vector<int> cuts;
  const std::int64_t share = stored_.back() / count, slack = share / 2;
  const auto position_of = [&](std::int64_t bytes) {
    return static_cast<int>(std::lower_bound(stored_.begin(), stored_.end(), bytes) - stored_.begin());
  };
  for (int k = 1; k < count; ++k) {
    const std::int64_t even = share * k;
    // A byte in flight is a byte more to keep, and so is a byte by which a segment is larger than its share.
    const auto cost = [&](int p) { return flight_[p] + std::abs(stored_[p] - even); };
    const int begin = std::max(position_of(even - slack), cuts.empty() ? 1 : cuts.back() + 1);
    const int end = std::min(position_of(even + slack), size() - 1);
    if (begin > end) continue;
    int best = begin;
    for (int p = begin + 1; p <= end; ++p) {
      if (cost(p) < cost(best)) best = p;
    }
    cuts.push_back(best);
  }
  return cuts;
}

std::vector<bool> ForwardSegments::dropped(std::span<const int> cuts) const {
  std::vector<bool> dropped(graph_.value_count(), false);
  std::size_t segment = 0;
  for (int p = 0; p < size(); ++p) {
    while (segment < cuts.size() && cuts[segment] <= p) ++segment;
    if (segment == cuts.size()) break;
    for (ValueId id : graph_.nodes()[nodes_[p]].outputs) {
      dropped[id] = root_[id] == id ? last_forward_[id] < cuts[segment] && !pinned_[id] : dropped[root_[id]];
    }
  }
  return dropped;
}

}  // namespace chiasm
