// SPDX-License-Identifier: Apache-2.0
#include "models/temporal_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace chiasm {
namespace {

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

void check_names(const TemporalGraph& graph) {
  if (graph.layers.empty()) throw InputError("a network needs at least one layer");
  std::set<std::string, std::less<>> names;
  for (const Layer& layer : graph.layers) {
    if (layer.name.empty() || layer.name == kImage || layer.name.find_first_of("/ ") != std::string::npos) {
      throw InputError("layer name " + quoted(layer.name) +
                       " is not allowed: it must not be empty, \"image\", or contain "
                       "spaces or \"/\"");
    }
    if (!names.insert(layer.name).second) throw InputError("two layers are named " + quoted(layer.name));
  }
  const auto known = [&](const std::string& name) { return name == kImage || names.contains(name); };
  std::set<std::pair<std::string, std::string>> seen;
  for (const Connection& c : graph.connections) {
    const std::string which = "connection " + quoted(c.source) + " -> " + quoted(c.target);
    if (!known(c.source)) throw InputError(which + ": there is no layer " + quoted(c.source));
    if (!names.contains(c.target)) throw InputError(which + ": there is no layer " + quoted(c.target));
    if (c.delay_steps < 0) throw InputError(which + ": its delay is " + std::to_string(c.delay_steps) + " steps");
    if (!seen.emplace(c.source, c.target).second) throw InputError(which + " is given twice");
  }
  for (const Layer& layer : graph.layers) {
    if (!known(layer.input)) {
      throw InputError("layer " + quoted(layer.name) + ": its input " + quoted(layer.input) + " does not exist");
    }
    if (!seen.contains({layer.input, layer.name})) {
      throw InputError("layer " + quoted(layer.name) + " has no connection from its input " + quoted(layer.input));
    }
  }
  if (!names.contains(graph.readout)) throw InputError("the readout " + quoted(graph.readout) + " is not a layer");
}

}  // namespace

int TemporalGraph::index_of(std::string_view layer) const {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].name == layer) return static_cast<int>(i);
  }
  return -1;
}

void TemporalGraph::validate() const {
  check_names(*this);
  feedforward_order();
  order_within_step();
}

namespace {

// Layers sorted so that each follows its predecessors. Those left over when nothing can be placed lie on or behind a
// cycle; the cycle itself is what remains after dropping, again and again, layers that precede none of the others.
std::vector<int> topological(const TemporalGraph& graph, const std::vector<std::vector<int>>& predecessors,
                             const std::string& what) {
  const std::size_t count = graph.layers.size();
  std::vector<bool> placed(count, false);
  std::vector<int> order;
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < count; ++i) {
      if (placed[i]) continue;
      const bool ready = std::all_of(predecessors[i].begin(), predecessors[i].end(), [&](int p) { return placed[p]; });
      if (!ready) continue;
      placed[i] = moved = true;
      order.push_back(static_cast<int>(i));
    }
  }
  if (order.size() == count) return order;
  for (bool dropped = true; dropped;) {
    dropped = false;
    for (std::size_t i = 0; i < count; ++i) {
      if (placed[i]) continue;
      bool precedes = false;
      for (std::size_t j = 0; j < count; ++j) {
        precedes = precedes ||
                   (!placed[j] && std::count(predecessors[j].begin(), predecessors[j].end(), static_cast<int>(i)) > 0);
      }
      if (!precedes) placed[i] = dropped = true;
    }
  }
  std::string cycle;
  for (std::size_t i = 0; i < count; ++i) {
    if (!placed[i]) cycle += (cycle.empty() ? "" : ", ") + graph.layers[i].name;
  }
  throw InputError(what + ": " + cycle);
}

}  // namespace

std::vector<int> TemporalGraph::order_within_step() const {
  std::vector<std::vector<int>> predecessors(layers.size());
  for (const Connection& c : connections) {
    if (c.delay_steps == 0 && c.source != kImage) predecessors[index_of(c.target)].push_back(index_of(c.source));
  }
  return topological(*this, predecessors, "these layers form a cycle of connections with delay 0");
}

std::vector<int> TemporalGraph::feedforward_order() const {
  std::vector<std::vector<int>> inputs(layers.size()), sources(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].input != kImage) inputs[i].push_back(index_of(layers[i].input));
  }
  for (const Connection& c : connections) {
    if (c.source != kImage && c.source != c.target) sources[index_of(c.target)].push_back(index_of(c.source));
  }
  // Refuses inputs that lead nowhere, so that below some layer is always ready.
  topological(*this, inputs, "these layers' feedforward inputs form a cycle that never starts at the image");
  std::vector<bool> placed(layers.size(), false);
  const auto first_after = [&](const std::vector<std::vector<int>>& predecessors) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto ready = [&](int p) { return placed[p]; };
      if (!placed[i] && std::all_of(predecessors[i].begin(), predecessors[i].end(), ready)) return static_cast<int>(i);
    }
    return -1;
  };
  std::vector<int> order;
  while (order.size() < layers.size()) {
    int next = first_after(sources);
    if (next < 0) next = first_after(inputs);
    placed[next] = true;
    order.push_back(next);
  }
  return order;
}

std::vector<Connection> TemporalGraph::incoming(std::string_view layer) const {
  std::vector<Connection> result;
  for (const Connection& c : connections) {
    if (c.target == layer) result.push_back(c);
  }
  const std::string& first = layers[index_of(layer)].input;
  std::sort(result.begin(), result.end(), [&](const Connection& a, const Connection& b) {
    const bool a_first = a.source == first, b_first = b.source == first;
    return a_first != b_first ? a_first : a.source < b.source;
  });
  return result;
}

std::vector<int> TemporalGraph::arrival_steps() const {
  constexpr int kNever = std::numeric_limits<int>::max() / 2;
  std::vector<int> arrival(layers.size(), kNever);
  // Delays are not negative, so relaxing every connection once per layer is enough.
  for (std::size_t round = 0; round <= layers.size(); ++round) {
    for (const Connection& c : connections) {
      const int source = c.source == kImage ? 0 : arrival[index_of(c.source)];
      int& target = arrival[index_of(c.target)];
      target = std::min(target, source + c.delay_steps);
    }
  }
  return arrival;
}

int TemporalGraph::readout_arrival() const { return arrival_steps()[static_cast<std::size_t>(index_of(readout))]; }

int TemporalGraph::minimal_steps() const {
  const bool recurrent = std::any_of(layers.begin(), layers.end(), [](const Layer& layer) { return layer.cell; });
  return readout_arrival() + (recurrent ? 2 : 1);
}

int delay_in_steps(double delay_ms, double step_ms, std::string_view what) {
  const double steps = delay_ms / step_ms;
  const double whole = std::round(steps);
  if (!(delay_ms >= 0.0) || !(std::fabs(steps - whole) <= 1e-9 * std::max(1.0, whole)) || whole > 1e6) {
    throw InputError(std::string(what) + ": " + std::to_string(delay_ms) + " ms is not a whole number of steps of " +
                     std::to_string(step_ms) + " ms");
  }
  return static_cast<int>(whole);
}

}  // namespace chiasm
