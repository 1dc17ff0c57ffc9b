// SPDX-License-Identifier: Apache-2.0
// Recipes by name: "gru_shallow" is gru_shallow.json in the first folder that has it.
#pragma once

#include <string>
#include <vector>

namespace chiasm {

// Where recipes are looked for, in this order: the folders in $CHIASM_RECIPES (with ":" between them), the recipes
// installed with this program, those of the source tree it was built from. Only folders that exist.
std::vector<std::string> recipe_folders();

struct NamedRecipe {
  std::string name;
  std::string path;
};

// Every recipe that has a name, sorted by it. Files in sub-folders, which others extend, have none.
std::vector<NamedRecipe> named_recipes();

// The file that a person means: an existing file is itself, and so is a text with "/" or ".json" in it; anything else
// is a name. Throws InputError with similar names when there is none.
std::string find_recipe(const std::string& file_or_name);

}  // namespace chiasm
