// SPDX-License-Identifier: Apache-2.0
// The options by which every verb of the neural comparison is told about recorded responses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/data/neural_dataset.h"
#include "analysis/data/read_neural.h"
#include "analysis/predictivity/consistency.h"
#include "analysis/reliability/trials.h"
#include "tools/terminal/command_line.h"

namespace chiasm {

struct ResponseOptions {
  std::string file;
  NeuralReadOptions read;
  std::vector<std::string> areas;  // those to use; empty: all
  std::string window;              // "70:170" in ms: averages over these bins
  std::string halves = "auto";
  double min_reliability = 0.0;  // 0: every unit is used

  void add_to(Verb verb, bool required = true);
  // Read, restricted to the areas and to units that are reliable enough, and with `window` averaged to one bin. Says on
  // stderr how many units were left out.
  NeuralDataset load() const;
  // Throws InputError naming the file where stimuli were not repeated; `what` is what needs it.
  void require_repeats(const NeuralDataset& dataset, const std::string& what) const;
};

// The units of one area of one animal: what a map is fitted to at once.
struct Target {
  std::string area, specimen;
  Trials trials;
  std::vector<std::int64_t> units;  // of the dataset
};
// By area, then by specimen, in the order of the dataset.
std::vector<Target> targets_of(const NeuralDataset& dataset, Halving halving);

// For people: "V4, monkey A", "all units".
std::string name_of(const Target& target);
// A name for every unit of the dataset: its id, or its number.
std::vector<std::string> unit_names(const NeuralDataset& dataset);

// "12", "0..4", "1,3,8": numbers and ranges in the order given. Throws InputError naming `option`.
std::vector<std::int64_t> parse_numbers(const std::string& text, const std::string& option);
// "0.1", "1e-3:1e3:7" (so many, equally spaced in their logarithm), "1,10,100". Throws InputError naming `option`.
std::vector<double> parse_grid(const std::string& text, const std::string& option);

}  // namespace chiasm
