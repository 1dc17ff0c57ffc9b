// SPDX-License-Identifier: Apache-2.0
// Reading optimizers, groups, moving copies and learning-rate schedules from a recipe (models/recipes/README.md
// describes the fields). Each throws InputError naming the field.
#pragma once

#include <optional>

#include "engine/config/config.h"
#include "engine/moving_copy.h"
#include "engine/parameter_groups.h"
#include "engine/schedule.h"

namespace chiasm {

Optimizer read_optimizer(const ConfigNode& node);
// A number is the base of `shape`; an object is a schedule of its own, over the epochs of `shape`.
Schedule read_schedule(const ConfigNode& rate, const Schedule& shape);

struct GroupConfig {
  ParameterGroup group;
  std::optional<Schedule> schedule = {};  // none: that of the training; else group.learning_rate is an input of its own
};
// What the group does not say is that of the training.
GroupConfig read_group(const ConfigNode& node, const Optimizer& optimizer, const Schedule& schedule);

MovingCopy read_moving_copy(const ConfigNode& node);

}  // namespace chiasm
