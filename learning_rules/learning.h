// SPDX-License-Identifier: Apache-2.0
// Learning: how a network learns: a rule for every layer, and what moves backward weights over training.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/optimizer.h"
#include "engine/schedule.h"
#include "learning_rules/learning_rule.h"
#include "learning_rules/phases.h"

namespace chiasm {

// A rule for some layers: those whose weight fits one of the patterns (engine/glob.h), such as "conv1/*".
struct RulePlacement {
  std::vector<std::string> patterns;
  LearningRule rule;
};

struct Learning {
  std::string name = "backprop";               // of the rule or preset, for people
  std::vector<RulePlacement> placements = {};  // the first that fits counts
  LearningRule rule = {};                      // of every other layer
  PhasePlan phases = {};
  Optimizer optimizer = {.rule = Adam{.epsilon_inside = true}};  // of backward weights
  Schedule schedule = {.base = 1e-3};
  // Added to what an optimizer has updated, times its learning rate (section 7.5).
  UpdateNoise task_noise = {};
  UpdateNoise alignment_noise = {};
  // Training stops with the name of a layer where |W + B|^2 grows beyond this many times its first value; 0: never.
  double divergence_factor = 1e4;

  const LearningRule& rule_of(std::string_view path) const;
  void for_each_rule(const std::function<void(const LearningRule&)>& visit) const;
  bool untied(std::string_view path) const { return rule_of(path).untied(); }
  // Whether some layer is trained by anything but backpropagation; whether some backward weight has an optimizer and
  // schedule of its own.
  bool any_untied() const;
  bool aligns() const;
  // Throws InputError: what LearningRule::check throws, and phases with nothing to do in one of them.
  void check() const;
};

}  // namespace chiasm
