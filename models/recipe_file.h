// SPDX-License-Identifier: Apache-2.0
// Recipe files as the plain documents that are read: "extends", "define" and the templates of layers are replaced by
// what they stand for (engine/config/composition.h; models/recipes/README.md shows them).
#pragma once

#include <string>
#include <vector>

#include "engine/config/config.h"

namespace chiasm {

// Overrides are "key=value", applied in order. Throws FileError naming the file and the field.
Config load_recipe_file(const std::string& path, const std::vector<std::string>& overrides = {});

}  // namespace chiasm
