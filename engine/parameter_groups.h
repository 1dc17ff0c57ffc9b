// SPDX-License-Identifier: Apache-2.0
// ParameterGroups: which optimizer trains which parameter. Every trained parameter belongs to the first group that one
// of its patterns fits, and otherwise to the default one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/optimizer.h"

namespace chiasm {

struct ParameterGroup {
  std::string name = {};                   // in messages: "recipe.json: train.groups[0]"
  std::vector<std::string> patterns = {};  // of paths (glob.h): "conv1/*", "*/bias"
  // Its parameters are not updated, have no optimizer state, and no gradient of them is computed. Running statistics
  // are no parameters: they follow the batches as before. So do backward weights of frozen ones, where a learning rule
  // moves them by a loss of their own.
  bool frozen = false;
  Optimizer optimizer = {};
  std::string learning_rate = "learning_rate";  // graph input, floating []
};

class ParameterGroups {
 public:
  ParameterGroups(Optimizer rest = {}, std::vector<ParameterGroup> groups = {});

  // Of a parameter.
  const ParameterGroup& group_of(std::string_view path) const { return all_[index_of(path)]; }
  bool frozen(std::string_view path) const { return group_of(path).frozen; }

  // The parameters that `graph` uses and that are not frozen, in the order of their declaration.
  std::vector<Parameter> trained(const Graph& graph, const Parameters& parameters) const;

  // limit_gradients, each group for itself.
  std::vector<Value> limit(std::span<const Parameter> parameters, std::span<const Value> gradients) const;

  // Throws InputError where a pattern fits no parameter of role kForward, naming near ones, and where earlier groups
  // leave a group none.
  void check(const Parameters& parameters) const;

 private:
  std::size_t index_of(std::string_view path) const;

  std::vector<ParameterGroup> all_;  // the last is the default one
};

}  // namespace chiasm
