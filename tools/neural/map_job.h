// SPDX-License-Identifier: Apache-2.0
// What `chiasm map` computes: for every layer of a model, how well it predicts every unit of every area.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/data/feature_layers.h"
#include "analysis/predictivity/predictivity.h"
#include "kernels/stream.h"
#include "tools/neural/fit_options.h"
#include "tools/neural/response_options.h"

namespace chiasm {

enum class MapTime {
  kAverage,  // features and responses averaged over time
  kFixed,    // one map for all time bins
  kPerBin,   // a map for each time bin
};

struct MapJob {
  std::shared_ptr<const FeatureLayers> features;
  std::vector<std::size_t> layers;  // of the features
  std::vector<std::int64_t> rows;   // of the features: the stimuli of `responses`, in their order
  NeuralDataset responses;
  std::vector<Target> targets;
  MapOptions map;
  std::vector<Split> splits;  // of the stimuli of `responses`
  int bootstraps = 0;
  std::uint64_t seed = 0;
  MapTime time = MapTime::kAverage;
  // Of the features. kAverage: for each of `layers`, those that are averaged; otherwise one list with one for each bin.
  std::vector<std::vector<std::size_t>> steps;
  std::string dtype = "float64";
  bool standardise = false;  // features, over all stimuli
};

// Responses to the test stimuli of the first split, averaged over them: [bins, units].
struct TimeCourse {
  Matrix<double> observed, predicted;
};

struct TargetScores {
  std::size_t target = 0;
  Predictivity scores;
  TimeCourse course;  // empty for responses averaged over time
};
struct LayerScores {
  std::string layer;
  std::int64_t units = 0;
  std::vector<TargetScores> targets;
  std::int64_t constant_units = 0;  // where features are standardised
};
struct MapResult {
  std::vector<LayerScores> layers = {};
  // [targets][units]: SB split-half of the responses averaged over time; empty where trials cannot be halved.
  std::vector<std::vector<double>> reliability = {};
  // Of the only layer, target and split, [units, test stimuli(, bins)]; where they were asked for.
  std::optional<Tensor> predictions = {};
  bool complete = true;
};

// How many fits run_map() makes.
std::int64_t fits_of(const MapJob& job);

// `progress` is told how many fits are done and the layer at work, and stops by returning false. Throws InputError for
// predictions of more than one layer, target or split.
using MapProgress = std::function<bool(std::int64_t done, const std::string& layer)>;
MapResult run_map(const CpuStream& stream, const MapJob& job, bool predictions, const MapProgress& progress);

// Steps of the features that begin with the bins of the responses, or, where one side has no times, one for each bin in
// order. Throws InputError where there is none for a bin.
std::vector<std::size_t> steps_of_bins(const FeatureLayers& features, const NeuralDataset& responses);

}  // namespace chiasm
