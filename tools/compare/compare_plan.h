// SPDX-License-Identifier: Apache-2.0
// What `chiasm compare` is asked to do, turned into the runs it consists of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/program.h"
#include "tools/compare/comparison.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

struct CompareRequest {
  std::vector<std::string> recipes;
  std::string out;
  Budget budget;
  std::vector<std::uint64_t> seeds;  // empty: each recipe's own
  std::vector<std::string> rules;    // of learning, or presets; empty: each recipe's own
  bool minimal = false;              // also train the minimally unrolled control of each recipe
  bool resume = false;
  bool quiet = false;
  ProgramOptions program;
};

struct PlannedRun {
  ComparedRun run;
  Recipe recipe;
};

// In order of recipes, then of rules; a control follows its recipe, and seeds come one after the other. A recipe that
// is minimally unrolled as it is has no control: the control would be the same network. Throws InputError: a recipe
// that cannot be read, two of one name, a name that cannot be a folder.
std::vector<PlannedRun> plan_runs(const CompareRequest& request);

// Builds the training step of every network as its run will, on its data, and notes what a step costs, so that whatever
// is wrong with the last recipe shows before the first is trained. With `timed_steps` runs so many training steps.
void check_runs(std::vector<PlannedRun>& runs, const ProgramOptions& options, int timed_steps = 0);

// Fills in what the recipe says about a run: timesteps, batch and sizes.
void describe(ComparedRun& run, const Recipe& recipe);

// Letters, digits, '_', '-' and '.', not first.
bool is_folder_name(std::string_view name);

}  // namespace chiasm
