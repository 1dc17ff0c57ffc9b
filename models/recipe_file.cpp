// SPDX-License-Identifier: Apache-2.0
#include "models/recipe_file.h"

#include "engine/config/composition.h"

namespace chiasm {

Config load_recipe_file(const std::string& path, const std::vector<std::string>& overrides) {
  return load_composed(path, {.object = "model", .templates = "templates", .users = "layers"}, overrides);
}

}  // namespace chiasm
