// SPDX-License-Identifier: Apache-2.0
// Rewriter: what passes have in common. It copies a graph's interface into a new graph and keeps track of which new
// value stands for which old one.
#pragma once

#include <vector>

#include "engine/graph.h"

namespace chiasm {

class Rewriter {
 public:
  explicit Rewriter(const Graph& source);

  // Appends a copy of `node` on the values that stand for its inputs.
  void copy(const Node& node);
  // From now on `value` stands for `old`.
  void replace(ValueId old, Value value) { map_[old] = value; }
  Value at(ValueId old) const { return map_[old]; }
  Graph& graph() { return target_; }

  // Adds outputs and assignments and gives the graph away.
  Graph finish();

 private:
  const Graph& source_;
  Graph target_;
  std::vector<Value> map_;
};

}  // namespace chiasm
