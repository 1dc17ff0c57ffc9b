// SPDX-License-Identifier: Apache-2.0
// The graphs of a recipe's training steps, under its learning rule.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/graph.h"
#include "engine/parameters.h"
#include "learning_rules/phases.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

// The phase that trains the task.
Phase training_phase(const Recipe& recipe);

// One graph for every phase that training has. Declares parameters and the state of their optimizers: what a snapshot
// of the recipe holds.
std::map<Phase, Graph> training_steps(const Recipe& recipe, Parameters& parameters, std::int64_t batch,
                                      const std::string& passes);

// What they are made from: the loss, with a backward weight wherever the rule wants one.
Graph loss_graph(const Recipe& recipe, Parameters& parameters, std::int64_t batch, const std::string& passes);

}  // namespace chiasm
