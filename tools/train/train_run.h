// SPDX-License-Identifier: Apache-2.0
// A training run in a run folder (design: a folder explains itself):
//   recipe.json            the recipe with its overrides
//   environment.json       program, machine and settings of each start
//   metrics.jsonl          training and test scores by step; events.out.tfevents.*: the same for TensorBoard
//   snapshots/step-N.safetensors
//   report.html            written at the end
#pragma once

#include <cstdint>
#include <string>

#include "engine/program.h"
#include "tools/recipe/recipe.h"
#include "tools/training/evaluator.h"

namespace chiasm {

struct TrainRequest {
  std::string out;
  std::string init = {};  // weights to start from instead of the recipe's draw; not read when a snapshot is resumed
  bool resume = false;
  bool quiet = false;
  ProgramOptions program;
  std::string label = "";  // in front of the progress; empty: the recipe's name
};

enum class TrainEnd { kDone, kInterrupted };

struct TrainOutcome {
  TrainEnd end = TrainEnd::kDone;
  Evaluation evaluation = {};  // of the last state; empty when interrupted
  std::int64_t steps = 0;      // of training in this call, without those of the snapshot it started from
  double seconds = 0.0;        // in them alone: no evaluation, no snapshots
};

// Runs until the recipe's last step or an interrupt; either way the last state is in a snapshot. Throws InputError when
// the folder already holds a run and `resume` is not set, or holds a run of another recipe (of another length alone, it
// goes on to the new end, under the learning-rate schedule of that length; bit-equal to a run of that length from its
// start where the schedule does not depend on it), or is beyond the new end already; NumericalError when a value
// is not finite, with the last good snapshot kept; SystemError when the disk refuses.
TrainOutcome train_run(const Recipe& recipe, const TrainRequest& request);

// Whether `folder` holds a run. Throws InputError when it holds one of another recipe.
bool holds_run(const std::string& folder, const Recipe& recipe);

// The recipe a run folder was made with, changed by overrides as load_recipe does, and its newest snapshot that can be
// read. Throws InputError when there is none.
Recipe recipe_of_run(const std::string& folder, const std::vector<std::string>& overrides = {});
std::string newest_snapshot(const std::string& folder);

}  // namespace chiasm
