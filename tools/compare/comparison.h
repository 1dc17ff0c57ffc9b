// SPDX-License-Identifier: Apache-2.0
// Comparison: several recipes trained under one budget, and what came of each. Its file is comparison.json in the
// comparison's folder; each run is a run folder below it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "learning_rules/alignment_metrics.h"
#include "tools/compare/run_result.h"

namespace chiasm {

// What all runs have in common. What is not given is each recipe's own.
struct Budget {
  std::optional<double> epochs = {};
  std::optional<std::int64_t> max_steps = {};
  std::optional<std::int64_t> train_images = {};
  std::optional<std::int64_t> test_images = {};
  std::vector<std::string> overrides = {};  // "train.batch=32"

  // All of it, as load_recipe takes it.
  std::vector<std::string> as_overrides() const;
  std::string words() const;  // "1 epoch of 20000 images"; empty where everything is the recipes' own
};

struct ComparedRun {
  std::string recipe;     // its name
  bool minimal = false;   // its minimally unrolled control
  std::string rule = {};  // the learning rule or preset it was asked for with; empty: the recipe's own
  std::uint64_t seed = 0;
  std::string folder = {};  // below the comparison's
  int steps = 0;            // timesteps
  int arrival = 0;          // the first timestep at which the readout can depend on the image
  std::int64_t batch = 0;
  std::int64_t parameters = 0, units = 0;
  RunResult result = {};
  std::vector<LayerAlignment> alignment = {};  // at the end of a run that is done; NaN: not measured

  // Of training alone; 0 when no step was timed. Seconds are those of all steps at the rate of the timed ones.
  double images_per_second() const;
  double training_seconds() const;
};

struct Machine {
  std::string chiasm, build, processor;
  std::int64_t threads = 0;
};

struct Comparison {
  Budget budget;
  Machine machine;
  std::vector<ComparedRun> runs;  // in the order in which they are run
};

// A row of the table: the runs of a recipe and rule that differ in their seed alone.
struct Entry {
  std::string recipe;
  bool minimal = false;
  std::string rule = {};
  int steps = 0, arrival = 0;
  std::int64_t parameters = 0, units = 0;
  int done = 0, planned = 0;                          // runs
  double top1 = 0.0, top1_min = 0.0, top1_max = 0.0;  // over the runs that are done
  double loss = 0.0;
  double training_seconds = 0.0, images_per_second = 0.0;
  double gflop_per_step = 0.0;
  std::vector<double> top1_by_step = {};       // means
  std::vector<LayerAlignment> alignment = {};  // means over the runs in which a layer was measured
  std::vector<std::string> failures = {};
  // No other entry is as accurate with as few parameters, or units.
  bool front_of_parameters = false, front_of_units = false;

  std::string label() const { return minimal ? recipe + ", minimal" : recipe; }
};
std::vector<Entry> entries_of(const Comparison& comparison);

// Over the layers; NaN where none was measured.
double mean_weight_angle(const std::vector<LayerAlignment>& alignment);
// Whether the comparison is one of rules, and whether some backward weight was measured.
bool has_rules(const std::vector<Entry>& entries);
bool has_alignment(const std::vector<Entry>& entries);
// Not where one recipe is trained under several rules: it has one size.
bool compares_sizes(const std::vector<Entry>& entries);

// The machine and build at hand.
Machine this_machine(int threads);

// comparison.json holds the runs one a line, without anything that depends on where the comparison lies. Reading takes
// the list of runs, the budget and the machine from it, and sizes and results from the run folders. Throws InputError
// when `folder` holds no comparison, FileError naming what is wrong with a file, SystemError.
std::string json_of(const Comparison& comparison);
Comparison read_comparison(const std::string& folder);

}  // namespace chiasm
