// SPDX-License-Identifier: Apache-2.0
// A training step under a learning rule: one graph, so one planned program, for each phase that training has. All of
// them share parameters and optimizer state by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/moving_copy.h"
#include "engine/parameter_groups.h"
#include "engine/parameters.h"
#include "learning_rules/learning.h"

namespace chiasm {

// Inputs of the graphs beside those of append_update and of the loss.
inline constexpr const char* kAlignmentRate = "alignment_learning_rate";  // floating []
inline constexpr const char* kAlignmentStep = "alignment_step";           // int32 [], counting from 1
// The input of a coefficient that changes over training: floating [].
std::string coefficient_input(const LearningRule& rule, const Primitive& primitive);

struct LearningStepOptions {
  Optimizer task_optimizer = {};
  // Parameters with an optimizer of their own, or none. A backward weight that rides on the task is in the group of its
  // forward weight; one with a loss of its own is in none.
  std::vector<ParameterGroup> groups = {};
  std::vector<MovingCopy> copies = {};  // move in phases that train the task
  Phase phase = Phase::kBoth;
  std::uint64_t seed = 0;
  std::string passes = "all";  // those that belong before gradients run here
};

// `loss` is the plain graph of a loss, with the output "loss", built with Learning::untied as BuildOptions::untied.
//   kTask       forward weights take a step down the loss, in the pseudo-gradient that their rules give
//   kAlignment  backward weights take a step down the alignment loss; outputs and running statistics of `loss` are left
//               out, so that where noise replaces every input the network itself does not run
//   kBoth       both
// In a phase that is not theirs, weights are left alone (PhasePlan::OffPhase::kFreeze) or coast.
// With backpropagation everywhere this is the loss and append_updates.
Graph build_learning_step(const Graph& loss, Parameters& parameters, const Learning& learning,
                          const LearningStepOptions& options);

}  // namespace chiasm
