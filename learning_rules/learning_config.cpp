// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_config.h"

#include "engine/training_config.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kBaseRate = 1e-3;  // of backward weights, where a recipe gives none

Coefficient read_coefficient(const ConfigNode& node) {
  Coefficient c;
  if (node.is_number()) {
    c.value = node.as_real();
    return c;
  }
  if (node.is_text()) {
    node.as_choice({"l2"});
    c.layer_l2 = true;
    return c;
  }
  c.value = node.as_object().real("value");
  c.start = node.real_or("start", 0.0, RealRange::between(0.0, 1.0));
  c.stop = node.real_or("stop", 1.0, RealRange::between(c.start, 1.0));
  const std::string drift = node.choice_or("drift", "none", {"none", "linear", "exponential"});
  c.drift = drift == "linear"        ? Coefficient::Drift::kLinear
            : drift == "exponential" ? Coefficient::Drift::kExponential
                                     : Coefficient::Drift::kNone;
  if (c.drift != Coefficient::Drift::kNone) c.drift_rate = node.real("drift_rate");
  c.cycle_epochs = node.real_or("cycle_epochs", 0.0, RealRange::at_least(0.0));
  return c;
}

std::vector<RuleTerm> read_terms(const ConfigNode& node) {
  std::vector<RuleTerm> terms;
  for (const Primitive* primitive : all_primitives()) {
    if (node.has(primitive->name)) terms.push_back({primitive, read_coefficient(node.at(primitive->name))});
  }
  node.finish();
  if (terms.empty()) node.fail_because("no primitive is given");
  return terms;
}

InputNoise read_noise(const ConfigNode& node) {
  InputNoise noise;
  const std::string type = node.choice("type", {"none", "normal", "uniform"});
  if (type == "none") return noise;
  noise.kind = type == "normal" ? InputNoise::Kind::kNormal : InputNoise::Kind::kUniform;
  noise.deviation = node.real("std", RealRange::positive());
  return noise;
}

// What an object says about a rule. Without "rule" primitives make one of their own.
LearningRule read_rule(const ConfigNode& node, bool& alternates) {
  LearningRule rule;
  if (node.has("rule")) {
    const NamedRule& named = rule_of(node.choice("rule", rule_names()));
    rule = named.rule;
    alternates = named.alternates;
  } else if (node.has("primitives")) {
    rule = {.name = "custom", .feedback = Feedback::kOwn};
  }
  if (node.has("primitives")) rule.terms = read_terms(node.object("primitives"));
  if (node.has("operations")) {
    std::vector<std::string> names;
    for (const ConfigNode& item : node.at("operations").as_list()) {
      names.push_back(item.as_choice(alignment_operation_names()));
    }
    rule.operations = alignment_operations_of(names);
  }
  if (node.has("noise")) rule.noise = read_noise(node.object("noise"));
  return rule;
}

UpdateNoise read_update_noise(const ConfigNode& node) {
  return {.variance = node.real("variance", RealRange::at_least(0.0)),
          .uniform = node.choice_or("type", "normal", {"normal", "uniform"}) == "uniform"};
}

// What a recipe that says nothing else gets.
Learning learning_under(const LearningRule& rule, bool alternates, const Schedule& schedule) {
  Learning learning;
  learning.name = rule.name;
  learning.rule = rule;
  learning.phases.alternate = alternates;
  learning.schedule = schedule;
  learning.schedule.base = kBaseRate;
  return learning;
}

Learning read_object(const ConfigNode& node, const Schedule& schedule) {
  bool alternates = false;
  const LearningRule rule = read_rule(node, alternates);
  Learning learning = learning_under(rule, alternates, schedule);
  learning.name = node.text_or("name", learning.name);
  for (const ConfigNode& item : node.objects_or_none("layers")) {
    bool unused = false;
    RulePlacement placement{item.texts("paths", {.min = 1}), read_rule(item, unused)};
    // Names of coefficient inputs tell rules apart.
    placement.rule.name += " " + item.path();
    learning.placements.push_back(std::move(placement));
  }
  learning.phases.alternate = node.boolean_or("alternate", alternates);
  learning.phases.delay_epochs = node.real_or("delay_epochs", 0.0, RealRange::at_least(0.0));
  learning.phases.off_phase = node.choice_or("off_phase", "coast", {"coast", "freeze"}) == "coast"
                                  ? PhasePlan::OffPhase::kCoast
                                  : PhasePlan::OffPhase::kFreeze;
  if (node.has("optimizer")) learning.optimizer = read_optimizer(node.object("optimizer"));
  if (node.has("learning_rate")) learning.schedule = read_schedule(node.at("learning_rate"), schedule);
  if (node.has("update_noise")) learning.alignment_noise = read_update_noise(node.object("update_noise"));
  if (node.has("task_update_noise")) learning.task_noise = read_update_noise(node.object("task_update_noise"));
  learning.divergence_factor = node.real_or("divergence_factor", learning.divergence_factor, RealRange::at_least(0.0));
  return learning;
}

}  // namespace

Learning read_learning(const ConfigNode& node, const Schedule& schedule) {
  Learning learning;
  if (node.is_text()) {
    const NamedRule& named = rule_of(node.as_choice(rule_names()));
    learning = learning_under(named.rule, named.alternates, schedule);
  } else {
    learning = read_object(node.as_object(), schedule);
  }
  try {
    learning.check();
  } catch (const InputError& error) {
    node.fail_because(error.what());
  }
  return learning;
}

}  // namespace chiasm
