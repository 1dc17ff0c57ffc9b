// SPDX-License-Identifier: Apache-2.0
// The learning rules, primitives and presets there are, in words and as JSON.
#pragma once

#include <string>
#include <vector>

#include "learning_rules/learning_rule.h"
#include "tools/recipe/presets.h"

namespace chiasm {

struct RuleList {
  std::vector<const NamedRule*> rules;
  std::vector<const Primitive*> primitives;
  std::vector<Preset> presets;
};

RuleList all_of_rules();
// What goes by this name: a rule (by its name or abbreviation), a primitive, a preset; several where a preset is called
// like a rule. Throws InputError with similar names, or with all of them where none is similar.
RuleList find_in_rules(const std::string& name);

// That each name is one that "learning_rule" of a recipe takes, and that no rule is named twice. Throws InputError.
void check_rule_names(const std::vector<std::string>& names);

// A line or two about each; everything about each; everything, for programs. What a rule or preset leaves to defaults
// is filled in.
std::string overview_of(const RuleList& list);
std::string details_of(const RuleList& list);
std::string json_of(const RuleList& list);

// A rule with its settings, or a preset with what it leaves to defaults, as an object on one line that can be the
// "learning_rule" of a recipe.
std::string settings_of(const NamedRule& rule);
std::string settings_of(const Preset& preset);

}  // namespace chiasm
