// SPDX-License-Identifier: Apache-2.0
#include "engine/parameters.h"

namespace chiasm {

const Parameter& Parameters::declare(const Parameter& parameter) {
  const auto [entry, added] = index_.emplace(parameter.name, list_.size());
  if (added) {
    list_.push_back(parameter);
  } else if (!(list_[entry->second].spec == parameter.spec)) {
    throw ShapeError("parameter \"" + parameter.name + "\" is " + to_string(list_[entry->second].spec) +
                     ", asked for as " + to_string(parameter.spec));
  }
  return list_[entry->second];
}

const Parameter* Parameters::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &list_[found->second];
}

std::int64_t Parameters::count(std::string_view prefix) const {
  std::int64_t count = 0;
  for (const Parameter& parameter : list_) {
    if (parameter.role == ParameterRole::kForward && parameter.name.starts_with(prefix)) {
      count += parameter.spec.shape.elements();
    }
  }
  return count;
}

void Parameters::initialise(std::uint64_t seed) {
  std::map<std::uint32_t, const std::string*> drawn;
  for (const Parameter& parameter : list_) {
    if (parameter.initialiser.is_random()) {
      const auto [owner, added] = drawn.emplace(random_op_of(parameter.name), &parameter.name);
      if (!added) throw_same_random_op(*owner->second, parameter.name);
    }
    if (tensors_.contains(parameter.name)) continue;
    if (!parameter.copy_of.empty()) {
      tensors_.emplace(parameter.name, tensors_.at(parameter.copy_of).clone());
      continue;
    }
    Tensor tensor(parameter.spec);
    parameter.initialiser.fill(tensor, seed, parameter.name);
    tensors_.emplace(parameter.name, std::move(tensor));
  }
}

}  // namespace chiasm
