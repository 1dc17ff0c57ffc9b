// SPDX-License-Identifier: Apache-2.0
// Data of the right size where there is none.
#pragma once

#include <memory>

#include "engine/data/source.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

// Noise with every field that the recipe's task takes, for steps that cost what they would.
std::shared_ptr<const Source> stand_in_data(const Recipe& recipe);

}  // namespace chiasm
