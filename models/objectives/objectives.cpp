// SPDX-License-Identifier: Apache-2.0
// Objectives by name. A new objective is its own file and one line here (and its declaration in objective.h).
#include <string>

#include "engine/config/config.h"
#include "models/objectives/objective.h"

namespace chiasm {
namespace {

const std::vector<Objective>& table() {
  static const std::vector<Objective> entries{softmax_cross_entropy(), sigmoid_cross_entropy()};
  return entries;
}

}  // namespace

Objective read_objective(const ConfigNode& model) {
  std::vector<std::string> names;
  for (const Objective& objective : table()) names.emplace_back(objective.name);
  const std::string name = model.choice_or("objective", names.front(), names);
  for (const Objective& objective : table()) {
    if (objective.name == name) return objective;
  }
  throw InternalError("objective " + name + " is listed and not found");
}

}  // namespace chiasm
