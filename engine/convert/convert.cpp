// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/convert.h"

#include <algorithm>

#include "engine/optimizer.h"
#include "engine/weights.h"

namespace chiasm {
namespace {

constexpr std::size_t kListed = 5;

// "WHAT (2): a, b", the first few of them; "" when there are none.
void list(std::string& message, const std::string& what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  message += (message.empty() ? "" : "; ") + what + " (" + std::to_string(names.size()) + "): ";
  for (std::size_t i = 0; i < std::min(names.size(), kListed); ++i) message += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kListed) message += ", ...";
}

}  // namespace

std::vector<Parameter> convertible(const Parameters& parameters) {
  std::vector<Parameter> wanted;
  std::ranges::copy_if(parameters.all(), std::back_inserter(wanted), [](const Parameter& parameter) {
    return parameter.role != ParameterRole::kBackward && !is_optimizer_state(parameter.name);
  });
  return wanted;
}

Conversion convert_weights(const std::string& file, const std::map<std::string, Tensor>& state, const WeightMap& map,
                           Parameters& parameters) {
  std::map<std::string, std::vector<std::string>> sources;  // by target
  for (const Parameter& parameter : convertible(parameters)) sources[parameter.name] = {};
  std::vector<std::string> unused, astray, missing, twice;
  std::map<std::string, WeightMap::Match> matches;
  Conversion done;
  for (const auto& [name, tensor] : state) {
    if (map.ignores(name)) {
      done.ignored.push_back(name);
    } else if (const std::optional<WeightMap::Match> match = map.find(name); !match) {
      unused.push_back(name + " " + to_string(tensor.shape()));
    } else if (const auto target = sources.find(match->target); target == sources.end()) {
      astray.push_back(name + " -> " + match->target);
    } else {
      target->second.push_back(name);
      matches.emplace(name, *match);
      done.entries.push_back({name, match->target});
    }
  }
  for (const auto& [target, from] : sources) {
    if (from.empty()) missing.push_back(target + " " + to_string(parameters.find(target)->spec.shape));
    if (from.size() > 1) twice.push_back(target + " (" + from[0] + " and " + from[1] + ")");
  }
  std::string problems;
  list(problems, "parameters that no tensor fills", missing);
  list(problems, "parameters that several tensors fill", twice);
  list(problems, "tensors that the map sends to no parameter of the network", astray);
  list(problems, "tensors that are neither used nor ignored", unused);
  if (!problems.empty()) throw FileError(file, "", problems);

  std::map<std::string, Tensor> filled;
  for (const auto& [name, match] : matches) {
    try {
      filled[match.target] = match.rule->relayout.apply(state.at(name), parameters.find(match.target)->spec);
    } catch (const InputError& error) {
      throw FileError(file, name + " -> " + match.target, error.what());
    }
  }
  for (const auto& [target, tensor] : filled) copy_floating(tensor, parameters.tensors().at(target));
  return done;
}

}  // namespace chiasm
