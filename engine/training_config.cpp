// SPDX-License-Identifier: Apache-2.0
#include "engine/training_config.h"

#include <string>
#include <vector>

namespace chiasm {

namespace {

constexpr RealRange kBelowOne{.min = 0.0, .max = 1.0, .open_max = true};

Adam read_adam(const ConfigNode& node) {
  return {.beta1 = node.real_or("beta1", 0.9, kBelowOne),
          .beta2 = node.real_or("beta2", 0.999, kBelowOne),
          .epsilon = node.real_or("epsilon", 1e-8, RealRange::positive()),
          .epsilon_inside = node.boolean_or("epsilon_inside", false)};
}

RmsProp read_rms_prop(const ConfigNode& node) {
  return {.smoothing = node.real_or("smoothing", 0.99, kBelowOne),
          .momentum = node.real_or("momentum", 0.0, kBelowOne),
          .epsilon = node.real_or("epsilon", 1e-8, RealRange::positive()),
          .epsilon_inside = node.boolean_or("epsilon_inside", false)};
}

Lars read_lars(const ConfigNode& node) {
  return {.momentum = node.real_or("momentum", 0.9, kBelowOne),
          .coefficient = node.real_or("coefficient", 1e-3, RealRange::positive()),
          .layerwise = node.boolean_or("layerwise", true)};
}

GradientLimit read_clip(const ConfigNode& node) {
  if (node.is_number()) return {.limit = node.as_real(RealRange::positive())};
  const std::string by = node.as_object().choice("by", {"value", "norm", "global_norm"});
  return {.limit = node.real("limit", RealRange::positive()),
          .by = by == "norm"          ? GradientLimit::By::kNorm
                : by == "global_norm" ? GradientLimit::By::kGlobalNorm
                                      : GradientLimit::By::kValue};
}

}  // namespace

Optimizer read_optimizer(const ConfigNode& node) {
  Optimizer optimizer;
  const std::string type = node.choice("type", {"sgd", "adam", "adamw", "rmsprop", "lars"});
  if (type == "sgd") {
    optimizer.rule =
        Sgd{.momentum = node.real_or("momentum", 0.0, kBelowOne), .nesterov = node.boolean_or("nesterov", false)};
  } else if (type == "rmsprop") {
    optimizer.rule = read_rms_prop(node);
  } else if (type == "lars") {
    optimizer.rule = read_lars(node);
  } else {
    optimizer.rule = read_adam(node);
  }
  if (node.has("clip")) optimizer.clip = read_clip(node.at("clip"));
  // AdamW is Adam with decoupled decay; LARS has none of that kind.
  const RealRange strength = RealRange::at_least(0.0);
  optimizer.weight_decay =
      type == "adamw" ? node.real("weight_decay", strength) : node.real_or("weight_decay", 0.0, strength);
  optimizer.decoupled = type == "adamw" || (type != "lars" && node.boolean_or("decoupled", false));
  return optimizer;
}

GroupConfig read_group(const ConfigNode& node, const Optimizer& optimizer, const Schedule& schedule) {
  GroupConfig config;
  ParameterGroup& group = config.group;
  group.name = node.origin() + ": " + node.path();
  group.patterns = node.texts("paths", {.min = 1});
  group.frozen = node.boolean_or("freeze", false);
  if (group.frozen) return config;
  group.optimizer = node.has("optimizer") ? read_optimizer(node.object("optimizer")) : optimizer;
  if (node.has("weight_decay")) group.optimizer.weight_decay = node.real("weight_decay", RealRange::at_least(0.0));
  if (node.has("learning_rate")) {
    group.learning_rate = "learning_rate/" + node.path();
    config.schedule = read_schedule(node.at("learning_rate"), schedule);
  }
  return config;
}

MovingCopy read_moving_copy(const ConfigNode& node) {
  MovingCopy copy{.name = node.origin() + ": " + node.path()};
  copy.patterns = node.texts_or("paths", {"*"});
  copy.prefix = node.text_or("prefix", copy.prefix);
  if (copy.prefix.empty() || is_optimizer_state(copy.prefix)) {
    node.at("prefix").fail_because("allowed: a text that is not empty and does not begin with \"optimizer/\"");
  }
  if (!node.has("coefficient")) return copy;
  const ConfigNode coefficient = node.at("coefficient");
  const RealRange share = RealRange::between(0.0, 1.0);
  if (coefficient.is_number()) {
    copy.coefficient.start = coefficient.as_real(share);
  } else {
    copy.coefficient.start = coefficient.as_object().real("start", share);
    copy.coefficient.cosine = coefficient.choice("schedule", {"constant", "cosine"}) == "cosine";
  }
  return copy;
}

Schedule read_schedule(const ConfigNode& rate, const Schedule& shape) {
  Schedule s = shape;
  if (rate.is_number()) {
    s.base = rate.as_real(RealRange::at_least(0.0));
    return s;
  }
  if (!rate.is_object()) rate.fail("a number of 0 or more, or an object with \"base\" and \"schedule\"");
  const ConfigNode node = rate.as_object();
  s = {.epochs = shape.epochs};
  s.base = node.real("base", RealRange::at_least(0.0));
  const std::string kind = node.choice_or("schedule", "constant", {"constant", "steps", "cosine", "polynomial"});
  s.kind = kind == "steps"        ? Schedule::Kind::kSteps
           : kind == "cosine"     ? Schedule::Kind::kCosine
           : kind == "polynomial" ? Schedule::Kind::kPolynomial
                                  : Schedule::Kind::kConstant;
  if (s.kind == Schedule::Kind::kSteps) {
    s.boundaries = node.reals("boundaries", RealRange::at_least(0.0));
    const bool several = node.has("factor") && node.at("factor").is_list();
    s.factors = several ? node.reals("factor", RealRange::positive(), {s.boundaries.size(), s.boundaries.size()})
                        : std::vector<double>{node.real_or("factor", 0.1, RealRange::positive())};
  }
  if (s.kind == Schedule::Kind::kCosine || s.kind == Schedule::Kind::kPolynomial) {
    s.floor = node.real_or("floor", 0.0, RealRange::at_least(0.0));
  }
  if (s.kind == Schedule::Kind::kPolynomial) s.power = node.real_or("power", 1.0, RealRange::positive());
  s.warmup_epochs = node.real_or("warmup_epochs", 0.0, RealRange::at_least(0.0));
  s.warmup_start = node.real_or("warmup_start", 0.0, RealRange::between(0.0, 1.0));
  const std::string follow = node.choice_or("follow", "batch", {"batch", "epoch", "epoch_end"});
  s.follow = follow == "epoch"       ? Schedule::Follow::kEpoch
             : follow == "epoch_end" ? Schedule::Follow::kEpochEnd
                                     : Schedule::Follow::kBatch;
  return s;
}

}  // namespace chiasm
