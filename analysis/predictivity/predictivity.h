// SPDX-License-Identifier: Apache-2.0
// How well a map from a model, or from other animals, predicts each unit of a target animal, corrected for the noise of
// a finite number of trials (spec/neural_analysis.md sections 2 and 3, convrnn.md 6.3).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "analysis/predictivity/map_source.h"
#include "analysis/reliability/trials.h"
#include "analysis/statistics/split.h"
#include "kernels/stream.h"

namespace chiasm {

struct PredictivityConfig {
  std::vector<Split> splits;  // of stimuli: those that the MapSource was made with
  int bootstraps = 100;       // halvings of the trials; 0: nothing is corrected
  std::uint64_t seed = 0;     // of the halvings
  // Told after some of the work how many of `total` fits are done; returning false stops.
  std::function<bool(std::int64_t done, std::int64_t total)> progress = {};
};

// One value per target unit, each a mean over bootstraps, then over splits, of what is defined; NaN where nothing is.
struct UnitScores {
  std::vector<double> published;  // noise-corrected as published; empty without bootstraps, as are all but `raw`
  std::vector<double> plain;      // noise-corrected without Spearman-Brown
  std::vector<double> raw;        // r of the prediction with the mean over all trials, fitted to such means
  std::vector<double> mapping;    // r of the predictions of maps fitted to the two halves
  std::vector<double> internal;   // r of the two halves
};

// Each of them by name, for what is done to all alike.
struct ScoreForm {
  const char* name;
  std::vector<double> UnitScores::*scores;
};
inline constexpr ScoreForm kScoreForms[] = {{"published", &UnitScores::published},
                                            {"plain", &UnitScores::plain},
                                            {"raw", &UnitScores::raw},
                                            {"mapping", &UnitScores::mapping},
                                            {"internal", &UnitScores::internal}};

struct Predictivity {
  std::vector<UnitScores> bins;  // [bins]
  UnitScores averaged;           // of predictions and responses averaged over bins; with one bin, the same as bins[0]
  // (unit, bin, split, bootstrap) where the published form is not defined: a denominator that is not positive, a half
  // without variance or without a trial.
  std::int64_t undefined = 0;
  std::int64_t not_converged = 0;  // fits that stopped at their limit of iterations
  bool complete = true;            // false: progress stopped it, and there are no scores
};

// The same bits for any number of threads. Throws InputError for targets with fewer than two repeats when bootstraps
// are asked for.
template <class T>
Predictivity predictivity(const CpuStream& stream, const MapSource<T>& source, const Trials& target,
                          const PredictivityConfig& config);

// Means of the scores of several sources for the same target, unit by unit, of what is defined.
Predictivity mean_over_sources(const std::vector<Predictivity>& sources);

// Predictions [test rows, units] for one split of the map fitted to means over all trials; rows are stimulus * bins +
// bin in the order of split.test. Units that lack a response are NaN.
template <class T>
Matrix<T> predict_means(const CpuStream& stream, const MapSource<T>& source, const Trials& target, const Split& split,
                        std::size_t split_index, MapReport* report = nullptr);

}  // namespace chiasm
