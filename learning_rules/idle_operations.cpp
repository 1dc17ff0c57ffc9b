// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/idle_operations.h"

#include <algorithm>
#include <set>

#include "kernels/elementwise/map.h"
#include "learning_rules/loss_graph.h"
#include "learning_rules/plastic_layers.h"

namespace chiasm {
namespace {

// What the layers of one rule have.
struct Found {
  bool relu = false, bias = false;
  std::set<std::string> functions;  // by name
};

Found look(const std::vector<PlasticLayer>& layers, const LearningRule& rule, const Learning& learning) {
  Found found;
  for (const PlasticLayer& layer : layers) {
    if (&learning.rule_of(layer.path) != &rule) continue;
    for (const Application& application : layer.applications) {
      found.bias |= static_cast<bool>(application.bias);
      if (!application.activation) continue;
      found.relu |= op_cast<Map<Relu>>(*application.activation) != nullptr;
      found.functions.emplace(application.activation->name());
    }
  }
  return found;
}

std::vector<std::string> idle(const LearningRule& rule, const Found& found) {
  std::string others;
  for (const std::string& name : found.functions) others += (others.empty() ? "" : ", ") + name;
  const std::string no_relu =
      "no layer is followed by a ReLU" +
      (others.empty() ? "" : " (but by " + others + ", which fo_activation and bo_activation take)");
  std::vector<std::string> sentences;
  const auto say = [&](bool asked, bool used, const char* name, const std::string& why) {
    if (asked && !used) sentences.push_back(std::string(name) + " of " + rule.name + " does nothing: " + why);
  };
  const AlignmentOperations& use = rule.operations;
  say(use.fo_relu, found.relu, "fo_relu", no_relu);
  say(use.bo_relu, found.relu, "bo_relu", no_relu);
  say(use.fo_activation, !others.empty(), "fo_activation", "no layer is followed by an element-wise function");
  say(use.bo_activation, !others.empty(), "bo_activation", "no layer is followed by an element-wise function");
  say(use.fo_bias, found.bias, "fo_bias", "no layer has a bias");
  say(use.bo_bias, found.bias, "bo_bias", "no layer has a bias");
  return sentences;
}

}  // namespace

std::vector<std::string> idle_operations(const Graph& loss, const Learning& learning) {
  if (!learning.aligns()) return {};
  LossGraph alone = loss_alone(loss);
  const std::vector<PlasticLayer> layers = find_plastic_layers(Value(&alone.graph, alone.loss));
  std::vector<std::string> sentences;
  learning.for_each_rule([&](const LearningRule& rule) {
    if (rule.operations == AlignmentOperations{}) return;
    for (std::string& sentence : idle(rule, look(layers, rule, learning))) sentences.push_back(std::move(sentence));
  });
  return sentences;
}

}  // namespace chiasm
