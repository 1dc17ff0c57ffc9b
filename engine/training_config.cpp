// SPDX-License-Identifier: Apache-2.0
#include "engine/training_config.h"

#include <string>
#include <vector>

namespace chiasm {

Optimizer read_optimizer(const ConfigNode& node) {
  Optimizer optimizer;
  if (node.choice("type", {"sgd", "adam"}) == "sgd") {
    optimizer.rule = Sgd{.momentum = node.real_or("momentum", 0.0, {.min = 0.0, .max = 1.0, .open_max = true}),
                         .nesterov = node.boolean_or("nesterov", false)};
  } else {
    const RealRange decay{.min = 0.0, .max = 1.0, .open_max = true};
    optimizer.rule = Adam{.beta1 = node.real_or("beta1", 0.9, decay),
                          .beta2 = node.real_or("beta2", 0.999, decay),
                          .epsilon = node.real_or("epsilon", 1e-8, RealRange::positive()),
                          .epsilon_inside = node.boolean_or("epsilon_inside", false)};
  }
  if (node.has("clip")) optimizer.clip = node.real("clip", RealRange::positive());
  return optimizer;
}

Schedule read_schedule(const ConfigNode& rate, const Schedule& shape) {
  Schedule s = shape;
  if (rate.is_number()) {
    s.base = rate.as_real(RealRange::at_least(0.0));
    return s;
  }
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
