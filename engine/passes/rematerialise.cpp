// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/rematerialise.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/compile.h"
#include "engine/memory_plan.h"
#include "engine/passes/forward_segments.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace chiasm {
namespace {

// Copies the graph, and before each backward node what it needs of the dropped values.
class Recompute {
 public:
  Recompute(const Graph& source, const ForwardSegments& segments, std::span<const int> cuts)
      : source_(source),
        segments_(segments),
        dropped_(segments.dropped(cuts)),
        done_(source.nodes().size(), false),
        rewriter_(source) {}

  Graph run() {
    for (std::size_t n = 0; n < source_.nodes().size(); ++n) {
      const Node& node = source_.nodes()[n];
      if (segments_.is_backward(static_cast<NodeId>(n))) recompute_inputs_of(node);
      rewriter_.copy(node);
    }
    // What only the backward pass read is now computed for it alone.
    return prune(rewriter_.finish());
  }

 private:
  void recompute_inputs_of(const Node& reader) {
    std::vector<NodeId> needed;
    std::vector<const Node*> open{&reader};
    while (!open.empty()) {
      const Node& node = *open.back();
      open.pop_back();
      for (ValueId id : node.inputs) {
        if (!dropped_[id] || done_[source_.producer(id)]) continue;
        done_[source_.producer(id)] = true;
        needed.push_back(source_.producer(id));
        open.push_back(&source_.nodes()[needed.back()]);
      }
    }
    std::sort(needed.begin(), needed.end());
    for (NodeId n : needed) {
      const Node& node = source_.nodes()[n];
      std::vector<Value> first;
      for (ValueId id : node.outputs) first.push_back(rewriter_.at(id));
      rewriter_.copy(node);
      for (std::size_t i = 0; i < first.size(); ++i) {
        if (!dropped_[node.outputs[i]]) rewriter_.replace(node.outputs[i], first[i]);
      }
    }
  }

  const Graph& source_;
  const ForwardSegments& segments_;
  std::vector<bool> dropped_;  // per value
  std::vector<bool> done_;     // per node: computed again
  Rewriter rewriter_;
};

// Tries numbers of segments, and for each how many of the last ones to leave whole.
class Search {
 public:
  Search(const Graph& graph, std::int64_t budget, StreamRef stream)
      : graph_(graph),
        budget_(budget),
        stream_(stream),
        segments_(graph),
        flops_(total_flops(prune(graph))),
        // Seconds at most: a graph of 10^4 nodes is built and planned in some 20 ms.
        tries_left_(
            std::clamp<std::int64_t>(kNodesToPlan / (static_cast<std::int64_t>(graph.nodes().size()) + 1), 8, 200)) {}

  Rematerialised run() {
    best_ = {.graph = graph_, .peak_bytes = plan_memory(graph_, stream_).arena_bytes};
    std::int64_t least = best_.peak_bytes;
    int worse = 0;
    for (double count = 2.0; count <= segments_.size() && tries_left_ > 0; count = std::ceil(count * kGrowth)) {
      if (best_.peak_bytes <= budget_ && best_.recomputed_flops == 0) break;
      const std::vector<int> cuts = segments_.cut(static_cast<int>(count));
      if (cuts.empty()) continue;
      const std::int64_t peak = attempt(cuts);
      if (peak <= budget_) {
        leave_more_whole(cuts);
      } else if (peak >= least && ++worse == kGiveUp) {
        break;  // what is kept between segments outweighs what is dropped inside them
      }
      if (peak < least) worse = 0;
      least = std::min(least, peak);
    }
    return std::move(best_);
  }

 private:
  static constexpr std::int64_t kNodesToPlan = 5'000'000;
  static constexpr double kGrowth = 1.3;
  static constexpr int kGiveUp = 4;

  // With fewer cuts, the last first, more is left whole: less is computed twice, in more memory.
  void leave_more_whole(const std::vector<int>& cuts) {
    std::size_t fits = cuts.size(), exceeds = 0;
    while (fits - exceeds > 1 && tries_left_ > 0) {
      const std::size_t middle = (fits + exceeds) / 2;
      (attempt(std::span(cuts).first(middle)) <= budget_ ? fits : exceeds) = middle;
    }
  }

  std::int64_t attempt(std::span<const int> cuts) {
    --tries_left_;
    Rematerialised made{.graph = Recompute(graph_, segments_, cuts).run()};
    made.recomputed_flops = total_flops(made.graph) - flops_;
    made.peak_bytes = plan_memory(made.graph, stream_).arena_bytes;
    const std::int64_t peak = made.peak_bytes;
    const bool fits = peak <= budget_, best_fits = best_.peak_bytes <= budget_;
    const bool better = fits && best_fits ? made.recomputed_flops < best_.recomputed_flops : peak < best_.peak_bytes;
    if (better) best_ = std::move(made);
    return peak;
  }

  const Graph& graph_;
  const std::int64_t budget_;
  StreamRef stream_;
  const ForwardSegments segments_;
  const std::int64_t flops_;
  std::int64_t tries_left_;
  Rematerialised best_;
};

}  // namespace

Rematerialised rematerialise(const Graph& graph, std::int64_t budget_bytes, StreamRef stream) {
  return Search(graph, budget_bytes, stream).run();
}

}  // namespace chiasm
