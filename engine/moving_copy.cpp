// SPDX-License-Identifier: Apache-2.0
#include "engine/moving_copy.h"

#include <cmath>
#include <map>
#include <numbers>
#include <ranges>

#include "engine/glob.h"
#include "engine/graph_inputs.h"
#include "engine/ops.h"
#include "engine/path_patterns.h"

namespace chiasm {
namespace {

// By value: declaring the copies moves parameters in memory.
std::vector<Parameter> originals_of(const MovingCopy& copy, const Parameters& parameters) {
  std::vector<Parameter> result;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role == ParameterRole::kForward && fits_any(copy.patterns, parameter.name)) {
      result.push_back(parameter);
    }
  }
  return result;
}

}  // namespace

double MovingCoefficient::step_at(double progress) const {
  const double step = 1.0 - start;
  return cosine ? step * 0.5 * (1.0 + std::cos(std::numbers::pi * progress)) : step;
}

void declare_moving_copies(const MovingCopy& copy, Parameters& parameters) {
  std::vector<std::string> paths;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role == ParameterRole::kForward) paths.push_back(parameter.name);
  }
  for (const std::string& pattern : copy.patterns) require_fit(copy.name, pattern, paths);
  for (const Parameter& original : originals_of(copy, parameters)) {
    const std::string name = copy.prefix + original.name;
    const Parameter* found = parameters.find(name);
    if (found != nullptr && found->copy_of != original.name) {
      throw InputError(copy.name + ": the copy \"" + name + "\" would have the name of another parameter");
    }
    parameters.declare(
        {.name = name, .spec = original.spec, .role = ParameterRole::kStatistic, .copy_of = original.name});
  }
}

void append_moving_copies(Graph& graph, Parameters& parameters, const MovingCopy& copy) {
  declare_moving_copies(copy, parameters);
  if (graph.inputs().contains(copy.input())) {
    throw InputError(copy.name + ": other copies have the prefix \"" + copy.prefix + "\" already");
  }
  const LabelScope label(graph, copy.input());
  std::map<ValueId, ValueId> next;
  for (const Assignment& assignment : graph.assignments()) next[assignment.state] = assignment.value;
  for (const Parameter& original : originals_of(copy, parameters)) {
    const auto used = graph.states().find(original.name);
    if (used == graph.states().end()) continue;
    const auto updated = next.find(used->second);
    const Value now(&graph, updated == next.end() ? used->second : updated->second);
    const Value held = graph.state(copy.prefix + original.name, original.spec);
    const Value step = input_once(graph, copy.input(), Spec{original.spec.dtype, {}});
    graph.assign(held, held + step * (now - held));
  }
}

}  // namespace chiasm
