// SPDX-License-Identifier: Apache-2.0
// Alignment in metrics.jsonl: a line of its own holds "weight_angle/<path>" and so on for each layer that has a
// backward weight of its own, <path> being that of its forward weight.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "learning_rules/alignment_metrics.h"
#include "tools/run_folder/metrics_log.h"

namespace chiasm {

struct AlignmentMetric {
  std::string key;   // before the "/"
  std::string name;  // for people
  std::string unit;  // may be empty
  double LayerAlignment::*value;
};

// Weight angle, projection angle, gradient angle, norm ratio, symmetric energy, skew energy.
std::span<const AlignmentMetric> alignment_metrics();

// The path of a weight as a label: "conv1" for "conv1/weight".
std::string layer_name(const std::string& path);

// Of a line without alignment: empty. Layers are in the order of the line; what it does not hold is NaN.
std::vector<LayerAlignment> alignment_of(const MetricsLine& line);

// The last that was measured in this run folder; empty where none was, or where there is no metrics.jsonl. Throws
// FileError.
std::vector<LayerAlignment> final_alignment(const std::string& run_folder);

}  // namespace chiasm
