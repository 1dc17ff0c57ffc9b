// SPDX-License-Identifier: Apache-2.0
// Presets: published settings of learning rules, as fragments of recipes (learning_rules/presets/).
#pragma once

#include <string>
#include <vector>

#include "engine/config/config.h"

namespace chiasm {

struct Preset {
  std::string name;
  std::string path;
  std::string title;
  std::string published;  // which of its numbers are published, and where
  std::string defaults;   // which stand in for lost ones
  std::string rule_json;  // its "learning_rule", on one line
};

// Sorted by name. Where they are looked for, in this order: "presets" in the folders of recipes, the source tree.
std::vector<Preset> all_presets();

// The override "key=value" that puts a recipe under the rule or preset of this name. A rule keeps what the recipe's own
// "learning_rule" says beside it, such as a learning rate that suits the network; a preset replaces it. The recipe is
// the one that the override is for.
std::string rule_override(const Config& recipe, const std::string& name);

// In a recipe whose "learning_rule" is the name of a preset, or an object with a "preset", puts the preset's in its
// place, with the other members laid over it. Throws InputError naming the field and what is known.
void expand_preset(Config& recipe);

}  // namespace chiasm
