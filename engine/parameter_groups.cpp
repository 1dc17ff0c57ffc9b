// SPDX-License-Identifier: Apache-2.0
#include "engine/parameter_groups.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/glob.h"
#include "engine/path_patterns.h"

namespace chiasm {

ParameterGroups::ParameterGroups(Optimizer rest, std::vector<ParameterGroup> groups) : all_(std::move(groups)) {
  all_.push_back({.name = "the default group", .patterns = {"*"}, .optimizer = std::move(rest)});
}

std::size_t ParameterGroups::index_of(std::string_view path) const {
  const auto found =
      std::ranges::find_if(all_, [&](const ParameterGroup& group) { return fits_any(group.patterns, path); });
  return static_cast<std::size_t>(found - all_.begin());
}

std::vector<Parameter> ParameterGroups::trained(const Graph& graph, const Parameters& parameters) const {
  std::vector<Parameter> trained = trained_parameters(graph, parameters);
  std::erase_if(trained, [&](const Parameter& parameter) { return frozen(parameter.name); });
  return trained;
}

std::vector<Value> ParameterGroups::limit(std::span<const Parameter> parameters,
                                          std::span<const Value> gradients) const {
  std::vector<Value> result(gradients.size());
  for (std::size_t g = 0; g < all_.size(); ++g) {
    std::vector<std::size_t> members;
    std::vector<Value> own;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (index_of(parameters[i].name) != g) continue;
      members.push_back(i);
      own.push_back(gradients[i]);
    }
    const std::vector<Value> limited = limit_gradients(own, all_[g].optimizer.clip);
    for (std::size_t i = 0; i < members.size(); ++i) result[members[i]] = limited[i];
  }
  return result;
}

void ParameterGroups::check(const Parameters& parameters) const {
  std::vector<std::string> paths;
  std::set<std::size_t> used;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role != ParameterRole::kForward) continue;
    paths.push_back(parameter.name);
    used.insert(index_of(parameter.name));
  }
  for (std::size_t g = 0; g + 1 < all_.size(); ++g) {
    for (const std::string& pattern : all_[g].patterns) require_fit(all_[g].name, pattern, paths);
    if (!used.contains(g)) {
      throw InputError(all_[g].name + ": every parameter that it fits belongs to an earlier group");
    }
  }
}

}  // namespace chiasm
