// SPDX-License-Identifier: Apache-2.0
// Reading optimizers and learning-rate schedules from a recipe (models/recipes/README.md describes the fields). Each
// throws InputError naming the field.
#pragma once

#include "engine/config/config.h"
#include "engine/optimizer.h"
#include "engine/schedule.h"

namespace chiasm {

Optimizer read_optimizer(const ConfigNode& node);
// A number is the base of `shape`; an object is a schedule of its own, over the epochs of `shape`.
Schedule read_schedule(const ConfigNode& rate, const Schedule& shape);

}  // namespace chiasm
