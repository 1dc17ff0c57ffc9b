// SPDX-License-Identifier: Apache-2.0
// What `chiasm ost` computes: object solution times of a model from its features over time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analysis/behaviour/layer_times.h"
#include "analysis/behaviour/object_solution_times.h"
#include "analysis/data/feature_layers.h"
#include "tools/neural/feature_options.h"

namespace chiasm {

struct OstOptions {
  FeatureOptions features;
  std::string labels, primate, i1_key = "i1", ost_key = "ost", time = "auto", readout = "svm", calibration = "held-out";
  int bins = 19;
  double first_ms = 70.0, bin_ms = 10.0;
  ObjectSolutionConfig config;
};

struct OstJob {
  std::shared_ptr<const FeatureLayers> features;
  std::vector<std::size_t> layers;
  std::string time;                  // steps, uniform or graded
  std::vector<std::size_t> steps;    // of the features: one for each bin, or one for all bins
  std::vector<LayersOfBin> bins;     // units of `layers` in each bin
  std::vector<std::int32_t> labels;  // of the images of the features
  std::vector<std::string> classes;
  PrimateSolutions primate;
  ObjectSolutionConfig config;
};

// Throws InputError and FileError naming option and file.
OstJob read_ost_job(const OstOptions& options);
std::int64_t readouts_of(const OstJob& job);
ObjectSolutionTimes run_ost(const CpuStream& stream, const OstJob& job,
                            const std::function<bool(std::int64_t done, std::int64_t total)>& progress);

std::string json_of(const OstJob& job, const ObjectSolutionTimes& result);
std::string table_of(const OstJob& job, const ObjectSolutionTimes& result);

}  // namespace chiasm
