// SPDX-License-Identifier: Apache-2.0
// Inter-animal consistency: how well other animals predict the units of one, the ceiling that models are measured
// against (spec/neural_analysis.md section 2, convrnn.md equations 2.16 to 2.21).
#pragma once

#include <string>
#include <vector>

#include "analysis/maps/map.h"
#include "analysis/predictivity/predictivity.h"
#include "analysis/reliability/trials.h"

namespace chiasm {

// What one animal did in one session, or in one spatial map of it.
struct Recording {
  std::string animal;
  Trials trials;
  // One name per unit. Units of the same animal with the same name are one cell seen in several maps.
  std::vector<std::string> cells;
};

struct ConsistencyConfig {
  enum class Source {
    kPairwise,  // each recording of each other animal by itself; scores are averaged over them
    kPooled,    // the units of all other animals side by side
  };
  Source source = Source::kPooled;
  // Pairwise: draws as many units of each source as the smallest recording has.
  bool subsample = false;
  // Predictivity of one target from one source. `progress` counts over all of them.
  PredictivityConfig scores;
};

struct AnimalConsistency {
  std::string animal;
  std::vector<std::string> cells;  // in order of first occurrence
  Predictivity scores;             // of those: over sources, then over the maps in which a cell was seen
};

// How many fits inter_animal_consistency() makes.
std::int64_t fits_of(const ConsistencyConfig& config, const std::vector<Recording>& recordings);

// One result per animal, in the order of their first recording. Every recording is to the same stimuli. Stops, with
// complete = false in what was not finished, when progress says so. Throws InputError for fewer than two animals.
template <class T>
std::vector<AnimalConsistency> inter_animal_consistency(const CpuStream& stream, const MapMethod<T>& method,
                                                        const std::vector<Recording>& recordings,
                                                        const ConsistencyConfig& config);

}  // namespace chiasm
