// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <queue>

#include "engine/node_specs.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"
#include "engine/passes/time_schedule.h"
#include "engine/passes/timestep_label.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/concat.h"
#include "kernels/indexing/slice.h"

namespace chiasm {
namespace {

// Runs through the graph as a scheduler would: a node is ready when its inputs are. Nodes of no family are appended as
// soon as they are ready. A family waits until all members that can be ready together are, and is then appended as one
// node. Where every family waits, the fullest one goes.
class BatchTime {
 public:
  explicit BatchTime(const Graph& source)
      : source_(source),
        rewriter_(source),
        families_(find_time_families(source)),
        waits_for_(source.nodes().size(), 0),
        done_(source.nodes().size(), false),
        consumers_(source.value_count()),
        part_of_(source.value_count()),
        in_merged_sum_(source.value_count(), false),
        ready_members_(families_.families.size()),
        appended_(families_.families.size(), 0) {}

  Graph run() {
    for (std::size_t n = 0; n < source_.nodes().size(); ++n) {
      if (families_.absorbed[n]) continue;
      for (ValueId id : reads(static_cast<NodeId>(n))) {
        if (source_.producer(id) == Graph::kNoNode) continue;
        ++waits_for_[n];
        consumers_[id].push_back(static_cast<NodeId>(n));
      }
    }
    for (std::size_t n = 0; n < source_.nodes().size(); ++n) {
      if (!families_.absorbed[n] && waits_for_[n] == 0) make_ready(static_cast<NodeId>(n));
    }
    while (true) {
      if (!ready_.empty()) {
        const NodeId n = ready_.top();
        ready_.pop();
        if (!done_[n]) append_with_siblings(n);
        continue;
      }
      const int family = next_family();
      if (family < 0) break;
      append_family(family);
    }
    for (std::size_t n = 0; n < done_.size(); ++n) {
      if (!done_[n] && !families_.absorbed[n])
        throw InternalError("batch_time: a node waits for ever: " + node(static_cast<NodeId>(n)).op->name());
    }
    for (const auto& [name, id] : source_.outputs()) make_own(id);
    for (const Assignment& a : source_.assignments()) make_own(a.value);
    return rewriter_.finish();
  }

 private:
  // Where a value lies in the result of a merged node.
  struct Part {
    ValueId whole = -1;  // of the new graph
    std::int64_t start = 0;
    std::int64_t size = 0;
  };

  Graph& target() { return rewriter_.graph(); }
  const Node& node(NodeId n) const { return source_.nodes()[n]; }
  const std::vector<ValueId>& reads(NodeId n) const {
    return families_.terms[n].empty() ? node(n).inputs : families_.terms[n];
  }

  void make_ready(NodeId n) {
    const int family = families_.family_of[n];
    if (family < 0) {
      ready_.push(n);
    } else {
      ready_members_[family].push_back(n);
    }
  }

  void finish(NodeId n) {
    done_[n] = true;
    for (ValueId id : node(n).outputs) {
      for (NodeId consumer : consumers_[id]) {
        if (--waits_for_[consumer] == 0) make_ready(consumer);
      }
    }
  }

  // The family to append: one that is as full as it gets, the earliest first; else the fullest, sums excepted.
  int next_family() const {
    int best = -1;
    double best_share = 0.0;
    NodeId best_first = 0;
    for (std::size_t f = 0; f < ready_members_.size(); ++f) {
      if (ready_members_[f].empty()) continue;
      const TimeFamily& family = families_.families[f];
      const std::size_t most = std::min(family.window, family.members.size() - appended_[f]);
      const double share = std::min(1.0, static_cast<double>(ready_members_[f].size()) / static_cast<double>(most));
      if (family.sum && share < 1.0) continue;
      const NodeId first = *std::min_element(ready_members_[f].begin(), ready_members_[f].end());
      if (share > best_share || (share == best_share && first < best_first)) {
        best = static_cast<int>(f);
        best_share = share;
        best_first = first;
      }
    }
    return best;
  }

  void append_family(int f) {
    std::vector<NodeId> members;
    const std::vector<NodeId>& ready = ready_members_[f];
    for (NodeId n : families_.families[f].members) {
      if (std::find(ready.begin(), ready.end(), n) != ready.end()) members.push_back(n);
    }
    appended_[f] += members.size();
    ready_members_[f].clear();
    append_merged(members);
    for (int rider : families_.families[f].riders) {
      if (ready_members_[rider].size() == families_.families[rider].members.size()) append_family(rider);
    }
  }

  void append_merged(const std::vector<NodeId>& members) {
    if (members.size() == 1) {
      append(members[0]);
      return;
    }
    const Node& first = node(members[0]);
    const std::vector<Spec> specs = input_specs(source_, first);
    const BatchRule rule = first.op->batch_rule(specs);
    std::vector<Value> inputs;
    std::int64_t batch = 0;
    for (std::size_t i = 0; i < first.inputs.size(); ++i) {
      if (!rule.carries[i]) {
        inputs.push_back(own(first.inputs[i]));
        continue;
      }
      std::vector<ValueId> parts;
      for (NodeId n : members) parts.push_back(node(n).inputs[i]);
      inputs.push_back(merged(parts));
      batch = inputs.back().shape()[0];
    }
    const LabelScope label(target(), merged_label(members));
    const OpPtr resized = first.op->at_batch(specs, batch);
    const std::vector<Value> outputs = target().apply_all(resized ? resized : first.op, inputs);
    if (rule.kind == BatchRule::Kind::kSum) {
      for (NodeId n : members) in_merged_sum_[node(n).outputs[0]] = true;
      in_merged_sum_[first.outputs[0]] = false;  // stands for all of them
      rewriter_.replace(first.outputs[0], outputs[0]);
    } else {
      for (std::size_t k = 0; k < outputs.size(); ++k) cut(members, k, outputs[k]);
    }
    for (NodeId n : members) finish(n);
  }

  void cut(const std::vector<NodeId>& members, std::size_t output, Value whole) {
    std::int64_t start = 0;
    std::vector<ValueId>& parts = parts_[whole.id()];
    for (NodeId n : members) {
      const ValueId id = node(n).outputs[output];
      const std::int64_t size = source_.spec(id).shape[0];
      part_of_[id] = {whole.id(), start, size};
      parts.push_back(id);
      start += size;
    }
  }

  std::string merged_label(const std::vector<NodeId>& members) const {
    std::vector<int> steps;
    for (NodeId n : members) {
      for (int step : parse_label(node(n).label).steps) steps.push_back(step);
    }
    std::sort(steps.begin(), steps.end());
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
    return label_of(parse_label(node(members[0]).label).place, steps);
  }

  // The values one after the other along the batch: the result of a merged node where they lie in it, else joined.
  Value merged(const std::vector<ValueId>& values) {
    Value& joined = joined_[values];
    if (joined) return joined;
    std::vector<Value> runs;
    for (std::size_t i = 0; i < values.size();) {
      std::size_t end = i + 1;
      const Part part = part_of_[values[i]];
      if (part.whole < 0) {
        runs.push_back(own(values[i]));
      } else {
        std::int64_t size = part.size;
        while (end < values.size() && part_of_[values[end]].whole == part.whole &&
               part_of_[values[end]].start == part.start + size) {
          size += part_of_[values[end++]].size;
        }
        runs.push_back(cut_out({part.whole, part.start, size}));
      }
      i = end;
    }
    joined = runs.size() == 1 ? runs[0] : target().apply(make_op(Concat{0}), runs);
    return joined;
  }

  Value cut_out(const Part& part) {
    const Value whole(&target(), part.whole);
    if (part.size == whole.shape()[0]) return whole;
    return target().apply(Slice{.axis = 0, .start = part.start, .size = part.size}, {whole});
  }

  // The value by itself.
  Value own(ValueId id) {
    make_own(id);
    return rewriter_.at(id);
  }
  void make_own(ValueId id) {
    if (rewriter_.at(id)) return;
    const NodeId producer = target().producer(part_of_[id].whole);
    const LabelScope label(target(), target().nodes()[producer].label);
    rewriter_.replace(id, cut_out(part_of_[id]));
  }

  // A node whose inputs are all parts of merged results, one sample range after the other, is merged with those that do
  // the same to the other parts: nothing has to be joined for it.
  void append_with_siblings(NodeId n) {
    const std::vector<NodeId> siblings = siblings_of(n);
    if (siblings.size() > 1) {
      append_merged(siblings);
    } else {
      append(n);
    }
  }

  std::vector<NodeId> siblings_of(NodeId n) const {
    const Node& self = node(n);
    if (!families_.terms[n].empty()) return {};
    const std::vector<Spec> specs = input_specs(source_, self);
    const BatchRule rule = self.op->batch_rule(specs);
    if (rule.kind != BatchRule::Kind::kEach) return {};
    std::size_t slot = 0;
    while (slot < rule.carries.size() && !rule.carries[slot]) ++slot;
    if (slot == rule.carries.size() || part_of_[self.inputs[slot]].whole < 0) return {};
    const std::vector<ValueId>& parts = parts_.at(part_of_[self.inputs[slot]].whole);
    std::vector<NodeId> siblings;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const auto& candidates = consumers_[parts[k]];
      const auto found = std::find_if(candidates.begin(), candidates.end(), [&](NodeId c) {
        return waits_for_[c] == 0 && !done_[c] && families_.family_of[c] < 0 && families_.terms[c].empty() &&
               does_the_same(self, node(c), rule, k);
      });
      if (found == candidates.end()) return {};
      siblings.push_back(*found);
    }
    // Not among them when its inputs lie at different places, or when another node does exactly the same.
    if (std::find(siblings.begin(), siblings.end(), n) == siblings.end()) return {};
    return siblings;
  }

  // Whether `other` does to part k of the merged results what `self` does to its part.
  bool does_the_same(const Node& self, const Node& other, const BatchRule& rule, std::size_t k) const {
    if (other.inputs.size() != self.inputs.size() || other.op->name() != self.op->name()) return false;
    for (std::size_t i = 0; i < self.inputs.size(); ++i) {
      if (!rule.carries[i]) {
        if (self.inputs[i] != other.inputs[i]) return false;
        continue;
      }
      const ValueId whole = part_of_[self.inputs[i]].whole;
      if (whole < 0) return false;
      const std::vector<ValueId>& parts = parts_.at(whole);
      if (k >= parts.size() || parts[k] != other.inputs[i]) return false;
    }
    const std::vector<Spec> a = input_specs(source_, self), b = input_specs(source_, other);
    // One sample of an op that broadcasts may be read whole by one node and carry the batch of another.
    if (other.op->batch_rule(b).carries != rule.carries) return false;
    if (other.op == self.op || (a == b && other.op->equals(*self.op))) return true;
    const OpPtr one = self.op->at_batch(a, 1), two = other.op->at_batch(b, 1);
    return (one ? *one : *self.op).equals(two ? *two : *other.op);
  }

  void append(NodeId n) {
    if (families_.terms[n].empty()) {
      for (ValueId id : node(n).inputs) make_own(id);
      rewriter_.copy(node(n));
    } else {
      append_sum(n);
    }
    finish(n);
  }

  void append_sum(NodeId n) {
    const LabelScope label(target(), node(n).label);
    Value sum;
    for (ValueId id : families_.terms[n]) {
      if (in_merged_sum_[id]) continue;
      sum = sum ? target().apply(Map<Add>{}, {sum, own(id)}) : own(id);
    }
    rewriter_.replace(node(n).outputs[0], sum);
  }

  const Graph& source_;
  Rewriter rewriter_;
  TimeFamilies families_;
  std::vector<int> waits_for_;                     // per node: inputs not computed yet
  std::vector<bool> done_;                         // per node
  std::vector<std::vector<NodeId>> consumers_;     // per value
  std::vector<Part> part_of_;                      // per value
  std::map<ValueId, std::vector<ValueId>> parts_;  // by merged result: the values that lie in it, in order
  std::vector<bool> in_merged_sum_;                // per value: counted by another term of its sum
  std::map<std::vector<ValueId>, Value> joined_;
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready_;
  std::vector<std::vector<NodeId>> ready_members_;  // per family
  std::vector<std::size_t> appended_;               // per family: members appended
};

}  // namespace

Graph batch_time(const Graph& graph) { return BatchTime(graph).run(); }

}  // namespace chiasm
