// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "learning_rules/learning_config.h"
#include "tools/rules/rule_list.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Coefficient& c) {
  if (c.layer_l2) return "l2";
  if (c.constant()) return c.value;
  Json json{{"value", c.value}, {"start", c.start}, {"stop", c.stop}};
  if (c.drift != Coefficient::Drift::kNone) {
    json["drift"] = c.drift == Coefficient::Drift::kLinear ? "linear" : "exponential";
    json["drift_rate"] = c.drift_rate;
  }
  if (c.cycle_epochs > 0.0) json["cycle_epochs"] = c.cycle_epochs;
  return json;
}

Json json_of(const InputNoise& noise) {
  if (noise.kind == InputNoise::Kind::kNone) return {{"type", "none"}};
  return {{"type", noise.kind == InputNoise::Kind::kNormal ? "normal" : "uniform"}, {"std", noise.deviation}};
}

Json json_of(const Sgd& sgd) { return {{"type", "sgd"}, {"momentum", sgd.momentum}, {"nesterov", sgd.nesterov}}; }
Json json_of(const Adam& adam) {
  return {{"type", "adam"},
          {"beta1", adam.beta1},
          {"beta2", adam.beta2},
          {"epsilon", adam.epsilon},
          {"epsilon_inside", adam.epsilon_inside}};
}
Json json_of(const RmsProp& rms) {
  return {{"type", "rmsprop"},
          {"smoothing", rms.smoothing},
          {"momentum", rms.momentum},
          {"epsilon", rms.epsilon},
          {"epsilon_inside", rms.epsilon_inside}};
}
Json json_of(const Lars& lars) {
  return {
      {"type", "lars"}, {"momentum", lars.momentum}, {"coefficient", lars.coefficient}, {"layerwise", lars.layerwise}};
}

Json json_of(const GradientLimit& clip) {
  if (clip.by == GradientLimit::By::kValue) return clip.limit;
  return {{"by", clip.by == GradientLimit::By::kNorm ? "norm" : "global_norm"}, {"limit", clip.limit}};
}

Json json_of(const Optimizer& optimizer) {
  Json json = std::visit([](const auto& rule) { return json_of(rule); }, optimizer.rule);
  if (optimizer.clip) json["clip"] = json_of(*optimizer.clip);
  if (optimizer.weight_decay != 0.0) {
    json["weight_decay"] = optimizer.weight_decay;
    if (optimizer.decoupled) json["decoupled"] = true;
  }
  return json;
}

// What has a meaning for this rule: without primitives nothing moves a backward weight.
Json json_of(const Learning& learning, const std::string& rule) {
  Json json{{"rule", rule}};
  if (!learning.rule.terms.empty()) {
    for (const RuleTerm& term : learning.rule.terms) {
      json["primitives"][std::string(term.primitive->name)] = json_of(term.coefficient);
    }
  }
  if (!learning.rule.aligns()) return json;
  json["operations"] = names_of(learning.rule.operations);
  json["noise"] = json_of(learning.rule.noise);
  json["alternate"] = learning.phases.alternate;
  json["delay_epochs"] = learning.phases.delay_epochs;
  json["off_phase"] = learning.phases.off_phase == PhasePlan::OffPhase::kCoast ? "coast" : "freeze";
  json["optimizer"] = json_of(learning.optimizer);
  json["learning_rate"] = learning.schedule.base;
  json["divergence_factor"] = learning.divergence_factor;
  return json;
}

Learning learning_of(const Json& rule, const std::string& origin) {
  const Config config = Config::parse(Json{{"learning_rule", rule}}.dump(), origin);
  return read_learning(config.root().at("learning_rule"), Schedule{});
}

}  // namespace

std::string settings_of(const NamedRule& named) {
  return json_of(learning_of(named.rule.name, named.rule.name), named.rule.name).dump();
}

std::string settings_of(const Preset& preset) {
  const Json own = Json::parse(preset.rule_json);
  Json json = json_of(learning_of(own, preset.path), own.value("rule", ""));
  if (!own.contains("rule")) json.erase("rule");
  // Its own words where it has some: a learning rate may be a schedule, and layers may have rules of their own.
  json.merge_patch(own);
  return json.dump();
}

}  // namespace chiasm
