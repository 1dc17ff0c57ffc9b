// SPDX-License-Identifier: Apache-2.0
// A network to look at, not to train: what a person names by a run folder, or by a recipe and its weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/parameters.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

struct NetworkSource {
  std::string source;                       // the folder of a run, or a recipe
  std::string snapshot = {};                // of a run; "": its newest
  std::string weights = {};                 // instead of a snapshot; see load_weights
  std::vector<std::string> overrides = {};  // "key=value" of the recipe
  bool untrained = false;                   // a recipe without weights keeps its initial draw
};

struct OpenNetwork {
  Recipe recipe;
  Parameters parameters;
  std::string file;        // of its weights; "": untrained
  std::int64_t step = -1;  // of the snapshot; -1: there is none
};

// Throws InputError: a run without snapshots, a recipe without weights that may not be untrained, both a snapshot and
// weights, and what load_recipe, load_snapshot and load_weights throw.
OpenNetwork open_network(const NetworkSource& source);

}  // namespace chiasm
