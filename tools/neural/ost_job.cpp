// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/ost_job.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "analysis/data/array_container.h"
#include "analysis/matrix.h"
#include "kernels/error.h"
#include "tools/neural/image_classes.h"

namespace chiasm {
namespace {

// The values of an array of the primate's file for the images of `features`.
std::vector<double> column_of(const ArrayContainer& file, const std::string& key, const FeatureLayers& features,
                              bool& warned) {
  const Matrix<double> values = matrix_of<double>(file.read(key).reshaped({file.spec(key).shape.elements()}));
  std::vector<double> column;
  for (const std::int64_t row : rows_for_stimuli(features, file, file.label(key), values.rows(), warned)) {
    column.push_back(values.values()[static_cast<std::size_t>(row)]);
  }
  return column;
}

PrimateSolutions read_primate(const OstOptions& o, const FeatureLayers& features) {
  if (o.primate.empty()) return {};
  const auto file = open_arrays(o.primate);
  bool warned = false;
  PrimateSolutions primate{.i1 = column_of(*file, o.i1_key, features, warned), .times = {}};
  if (file->has(o.ost_key)) primate.times = column_of(*file, o.ost_key, features, warned);
  return primate;
}

// Steps that begin when the bins do that the study used, unless others were asked for.
std::vector<std::size_t> steps_of(const OstOptions& o, const FeatureLayers& features, std::size_t layer) {
  if (!o.features.steps.empty()) return o.features.select_steps(features, layer);
  std::vector<std::size_t> steps;
  for (std::size_t i = 0; i < features.steps().size(); ++i) {
    const double start = features.steps()[i] * features.step_ms();
    if (start >= o.first_ms && start < o.first_ms + o.bins * o.bin_ms) steps.push_back(i);
  }
  if (steps.empty()) {
    throw InputError(o.features.file + " has no time steps from " + std::to_string(o.first_ms) +
                     " ms on; choose some with --steps");
  }
  return steps;
}

}  // namespace

OstJob read_ost_job(const OstOptions& o) {
  OstJob job;
  job.features = o.features.open();
  const FeatureLayers& features = *job.features;
  job.layers = o.features.select_layers(features);
  job.config = o.config;
  job.config.readout = *object_readout(o.readout);
  if (o.calibration == "in-sample") job.config.platt_folds = 0;
  job.time = o.time != "auto" ? o.time : features.steps().size() > 1 ? "steps" : "graded";
  std::vector<std::int64_t> units;
  LayersOfBin whole;
  for (std::size_t l = 0; l < job.layers.size(); ++l) {
    units.push_back(features.layers()[job.layers[l]].units());
    LayerSample& sample = whole.emplace_back(LayerSample{l, {}});
    sample.units.resize(static_cast<std::size_t>(units.back()));
    std::iota(sample.units.begin(), sample.units.end(), 0);
  }
  if (job.time == "steps") {
    job.steps = steps_of(o, features, job.layers[0]);
    job.bins.assign(job.steps.size(), whole);
    for (const std::size_t step : job.steps) {
      const double start = features.steps()[step] * features.step_ms();
      job.config.times.push_back(start == start ? start
                                                : o.first_ms + o.bin_ms * static_cast<double>(job.config.times.size()));
    }
  } else {
    job.steps = {o.features.steps.empty() ? features.steps().size() - 1
                                          : o.features.select_steps(features, job.layers[0]).at(0)};
    job.bins =
        job.time == "uniform" ? uniform_layer_times(units, o.bins) : graded_layer_times(units, o.bins, o.config.seed);
    for (int bin = 0; bin < o.bins; ++bin) job.config.times.push_back(o.first_ms + o.bin_ms * bin);
  }
  ImageClasses classes = read_classes(features, o.labels);
  job.labels = std::move(classes.labels);
  job.classes = std::move(classes.names);
  job.primate = read_primate(o, features);
  return job;
}

std::int64_t readouts_of(const OstJob& job) {
  const std::int64_t trials = job.config.readout == ObjectReadout::kSvm ? job.config.trials : 1;
  return trials * job.config.splits * std::ssize(job.bins);
}

ObjectSolutionTimes run_ost(const CpuStream& stream, const OstJob& job,
                            const std::function<bool(std::int64_t, std::int64_t)>& progress) {
  ObjectSolutionConfig config = job.config;
  config.progress = progress;
  const auto features = [&](int bin) {
    const auto b = static_cast<std::size_t>(bin);
    const std::size_t step = job.steps.size() == 1 ? job.steps[0] : job.steps[b];
    std::vector<Source<float>> layers;
    for (const std::size_t layer : job.layers) layers.push_back(feature_source<float>(job.features, layer, {step}));
    return features_of_bin<float>(layers, job.bins[b]);
  };
  return object_solution_times<float>(stream, static_cast<int>(job.bins.size()), features, job.labels, job.primate,
                                      config);
}

}  // namespace chiasm
