// SPDX-License-Identifier: Apache-2.0
// Options of the verbs that fit maps: which map, on which stimuli, and how often.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/maps/map.h"
#include "analysis/statistics/split.h"
#include "tools/terminal/command_line.h"

namespace chiasm {

struct FitOptions {
  std::string method = "pls", alpha, l1_ratio, train_indices, type;
  int components = 25, splits = 10, threads = 0;
  std::optional<int> folds;       // left out: as the grid says; leave-one-out for ridge
  std::optional<int> bootstraps;  // left out: 100, or none where trials cannot be halved
  bool scale = false, converged = false, alpha_over_n = false;
  double train_fraction = 0.5;
  std::uint64_t seed = 0;

  void add_to(Verb verb);
  MapOptions map() const;
  // As it was asked for, or else float64; float32 for the factored map, which is trained.
  std::string dtype() const;
  // `count` stimuli; positions among them.
  std::vector<Split> split(std::int64_t count) const;
  // None of stimuli that were shown once, unless they were asked for.
  int bootstraps_for(std::int64_t repeats) const;
};

// Whole numbers in an .npy file, or in a text as parse_numbers() takes it. Throws InputError.
std::vector<std::int64_t> read_indices(const std::string& file_or_text, const std::string& option);

}  // namespace chiasm
