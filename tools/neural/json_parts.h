// SPDX-License-Identifier: Apache-2.0
// Pieces of JSON that the verbs of the neural comparison share. Json is a type of the JSON library, whose header stays
// out of ours.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "analysis/data/neural_dataset.h"
#include "analysis/statistics/summary.h"
#include "tools/neural/response_options.h"

namespace chiasm {

// The least and the largest of those that are not NaN; NaN of none.
inline double least_of(std::span<const double> values) {
  double least = std::numeric_limits<double>::quiet_NaN();
  for (const double v : values) least = std::fmin(least, v);
  return least;
}
inline double most_of(std::span<const double> values) {
  double most = std::numeric_limits<double>::quiet_NaN();
  for (const double v : values) most = std::fmax(most, v);
  return most;
}

// NaNs become null.
template <class Json>
Json summary_json(std::span<const double> values) {
  const Summary s = summarise(values);
  return {{"median", s.median}, {"sem", s.sem},     {"mean", s.mean},
          {"sd", s.sd},         {"units", s.count}, {"undefined_units", s.dropped}};
}

template <class Json>
Json responses_json(const ResponseOptions& options, const NeuralDataset& dataset, const std::vector<Target>& targets) {
  std::int64_t missing = 0;
  for (const Target& target : targets) missing += target.trials.missing();
  Json areas = Json::array();
  for (const Target& target : targets) {
    areas.push_back({{"area", target.area},
                     {"specimen", target.specimen},
                     {"units", target.trials.units()},
                     {"halves", to_string(target.trials.halving())}});
  }
  return {{"file", options.file},
          {"min_reliability", options.min_reliability},
          {"units", dataset.units()},
          {"stimuli", dataset.stimuli()},
          {"repeats", dataset.repeats()},
          {"bins", dataset.bins()},
          {"bin_starts_ms", dataset.bin_starts_ms},
          {"missing_trials", missing},
          {"notes", dataset.notes},
          {"groups", areas}};
}

}  // namespace chiasm
