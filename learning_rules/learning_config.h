// SPDX-License-Identifier: Apache-2.0
// Reading a "learning_rule" from a recipe (README.md describes the fields).
#pragma once

#include "engine/config/config.h"
#include "learning_rules/learning.h"

namespace chiasm {

// `node` is the name of a rule, or an object. A learning rate of backward weights that is a number has the course of
// the task's `schedule`. Throws InputError naming the field.
Learning read_learning(const ConfigNode& node, const Schedule& schedule);

}  // namespace chiasm
