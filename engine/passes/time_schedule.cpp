// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/time_schedule.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/node_specs.h"
#include "engine/passes/timestep_label.h"
#include "kernels/elementwise/map.h"

namespace chiasm {
namespace {

// An op of fewer operations per element than this is limited by memory: gathering its inputs would cost what merging it
// saves.
constexpr std::int64_t kWorthMerging = 16;

Shape without_batch(const Shape& shape) { return Shape(shape.sizes().subspan(1)); }

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), uses_(graph.value_count(), 0) {
    result_.family_of.assign(graph.nodes().size(), -1);
    result_.terms.resize(graph.nodes().size());
    result_.absorbed.assign(graph.nodes().size(), false);
    for (const Node& node : graph.nodes()) {
      for (ValueId id : node.inputs) ++uses_[id];
    }
    for (const auto& [name, id] : graph.outputs()) ++uses_[id];
    for (const Assignment& a : graph.assignments()) ++uses_[a.value];
  }

  TimeFamilies run() {
    find_sums();
    for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
      const Node& node = graph_.nodes()[n];
      const std::vector<Spec> specs = input_specs(graph_, node);
      const BatchRule rule = node.op->batch_rule(specs);
      if (rule.kind == BatchRule::Kind::kEach && worth_merging(node, specs, rule)) {
        add_member(static_cast<NodeId>(n), specs, rule, Graph::kNoNode);
      }
    }
    for (TimeFamily& family : result_.families) order_members(family);
    drop_single_members();
    attach_riders();
    for (TimeFamily& family : result_.families) {
      family.window = family.sum ? family.members.size() : window_of(family);
    }
    return std::move(result_);
  }

 private:
  struct Kind {
    OpPtr op;  // at batch 1
    std::vector<Shape> shapes;
    int family;
  };

  bool worth_merging(const Node& node, const std::vector<Spec>& specs, const BatchRule& rule) const {
    if (std::find(rule.carries.begin(), rule.carries.end(), false) == rule.carries.end()) return false;
    const std::vector<Spec> out = output_specs(graph_, node);
    return node.op->flops(specs, out) >= kWorthMerging * out[0].shape.elements();
  }

  // `sum`: the addition that the member's result goes into, for families of that kind.
  void add_member(NodeId n, const std::vector<Spec>& specs, const BatchRule& rule, NodeId sum) {
    const Node& node = graph_.nodes()[n];
    std::vector<ValueId> shared;
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (rule.carries[i]) {
        if (specs[i].shape[0] == 0) return;
        shapes.push_back(without_batch(specs[i].shape));
      } else {
        shared.push_back(node.inputs[i]);
      }
    }
    const OpPtr resized = node.op->at_batch(specs, 1);
    const OpPtr op = resized ? resized : node.op;
    std::vector<Kind>& kinds = kinds_[{node.op->name(), sum, std::move(shared)}];
    for (const Kind& kind : kinds) {
      if (kind.shapes != shapes || !kind.op->equals(*op)) continue;
      result_.families[kind.family].members.push_back(n);
      result_.family_of[n] = kind.family;
      return;
    }
    const int family = static_cast<int>(result_.families.size());
    kinds.push_back({op, std::move(shapes), family});
    result_.families.push_back({.members = {n}, .sum = sum != Graph::kNoNode, .window = 0, .riders = {}});
    result_.family_of[n] = family;
  }

  bool is_addition(const Node& node) const {
    if (op_cast<Map<Add>>(*node.op) == nullptr) return false;
    const Spec& out = graph_.spec(node.outputs[0]);
    return graph_.spec(node.inputs[0]) == out && graph_.spec(node.inputs[1]) == out;
  }

  // Chains of additions whose intermediate results nothing else reads, and the families among their terms.
  void find_sums() {
    const std::vector<Node>& nodes = graph_.nodes();
    std::vector<bool> inner(nodes.size(), false);
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (!is_addition(nodes[n])) continue;
      for (ValueId id : nodes[n].inputs) {
        const NodeId producer = graph_.producer(id);
        if (producer != Graph::kNoNode && !result_.terms[producer].empty() && uses_[id] == 1) inner[producer] = true;
      }
      result_.terms[n] = {nodes[n].inputs};
    }
    for (std::size_t n = nodes.size(); n-- > 0;) {
      if (result_.terms[n].empty() || inner[n]) continue;
      collect(static_cast<NodeId>(n), inner);
    }
  }

  void collect(NodeId root, const std::vector<bool>& inner) {
    std::vector<ValueId> terms;
    std::vector<NodeId> additions;
    std::vector<ValueId> open(graph_.nodes()[root].inputs.rbegin(), graph_.nodes()[root].inputs.rend());
    while (!open.empty()) {
      const ValueId id = open.back();
      open.pop_back();
      const NodeId producer = graph_.producer(id);
      if (producer == Graph::kNoNode || !inner[producer]) {
        terms.push_back(id);
        continue;
      }
      additions.push_back(producer);
      const std::vector<ValueId>& inputs = graph_.nodes()[producer].inputs;
      open.insert(open.end(), inputs.rbegin(), inputs.rend());
    }
    int members = 0;
    for (ValueId id : terms) {
      const NodeId producer = graph_.producer(id);
      if (producer == Graph::kNoNode || uses_[id] != 1) continue;
      const std::vector<Spec> specs = input_specs(graph_, graph_.nodes()[producer]);
      const BatchRule rule = graph_.nodes()[producer].op->batch_rule(specs);
      if (rule.kind != BatchRule::Kind::kSum) continue;
      add_member(producer, specs, rule, root);
      ++members;
    }
    for (NodeId n : additions) result_.terms[n].clear();
    if (members < 2) {
      result_.terms[root].clear();
      return;
    }
    for (NodeId n : additions) result_.absorbed[n] = true;
    result_.terms[root] = std::move(terms);
  }

  void order_members(TimeFamily& family) const {
    const auto step = [&](NodeId n) {
      const TimestepLabel label = parse_label(graph_.nodes()[n].label);
      return label.steps.empty() ? -1 : label.steps.front();
    };
    std::vector<std::pair<int, NodeId>> keyed;
    for (NodeId n : family.members) keyed.emplace_back(step(n), n);
    std::sort(keyed.begin(), keyed.end());
    for (std::size_t i = 0; i < keyed.size(); ++i) family.members[i] = keyed[i].second;
  }

  void drop_single_members() {
    std::vector<TimeFamily> kept;
    for (TimeFamily& family : result_.families) {
      const bool keep = family.members.size() > 1;
      for (NodeId n : family.members) result_.family_of[n] = keep ? static_cast<int>(kept.size()) : -1;
      if (keep) kept.push_back(std::move(family));
    }
    result_.families = std::move(kept);
  }

  bool is_cheap_sum(const TimeFamily& family) const {
    const Node& node = graph_.nodes()[family.members[0]];
    return family.sum && node.inputs.size() == 1;
  }

  // A sum over an error alone (of a bias) is worth merging where the product of that error with something (of the
  // weight) is: they then read one merged error. Elsewhere its members are left as they are.
  void attach_riders() {
    std::map<ValueId, int> product_of;  // by error
    for (std::size_t f = 0; f < result_.families.size(); ++f) {
      const TimeFamily& family = result_.families[f];
      if (!family.sum || is_cheap_sum(family)) continue;
      for (NodeId n : family.members) product_of[graph_.nodes()[n].inputs[0]] = static_cast<int>(f);
    }
    for (std::size_t f = 0; f < result_.families.size(); ++f) {
      TimeFamily& family = result_.families[f];
      if (!is_cheap_sum(family)) continue;
      const auto same_errors = [&](const TimeFamily& other) {
        return std::equal(
            family.members.begin(), family.members.end(), other.members.begin(), other.members.end(),
            [&](NodeId a, NodeId b) { return graph_.nodes()[a].inputs[0] == graph_.nodes()[b].inputs[0]; });
      };
      const auto found = product_of.find(graph_.nodes()[family.members[0]].inputs[0]);
      if (found != product_of.end() && same_errors(result_.families[found->second])) {
        result_.families[found->second].riders.push_back(static_cast<int>(f));
        continue;
      }
      for (NodeId n : family.members) result_.family_of[n] = -1;
      family.members.clear();
    }
  }

  // The unroll repeats itself: what holds for a member in the middle holds for the others.
  std::size_t window_of(const TimeFamily& family) const {
    if (family.members.empty()) return 0;
    std::vector<NodeId> by_position = family.members;
    std::sort(by_position.begin(), by_position.end());
    const std::size_t middle = (by_position.size() - 1) / 2;
    const NodeId from = by_position[middle];
    std::vector<bool> reached(static_cast<std::size_t>(by_position.back() - from) + 1, false);
    reached[0] = true;
    std::size_t next = middle + 1;
    for (NodeId n = from + 1; n <= by_position.back(); ++n) {
      for (ValueId id : graph_.nodes()[n].inputs) {
        const NodeId producer = graph_.producer(id);
        if (producer >= from && reached[producer - from]) {
          reached[n - from] = true;
          break;
        }
      }
      if (n != by_position[next]) continue;
      if (reached[n - from]) return next - middle;
      ++next;
    }
    return by_position.size();
  }

  const Graph& graph_;
  std::vector<int> uses_;
  std::map<std::tuple<std::string, NodeId, std::vector<ValueId>>, std::vector<Kind>> kinds_;
  TimeFamilies result_;
};

}  // namespace

TimeFamilies find_time_families(const Graph& graph) { return Finder(graph).run(); }

}  // namespace chiasm
