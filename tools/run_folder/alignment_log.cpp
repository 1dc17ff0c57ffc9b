// SPDX-License-Identifier: Apache-2.0
#include "tools/run_folder/alignment_log.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string_view>

namespace chiasm {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

LayerAlignment& layer_at(std::vector<LayerAlignment>& layers, const std::string& path) {
  const auto at = std::ranges::find(layers, path, &LayerAlignment::path);
  if (at != layers.end()) return *at;
  LayerAlignment& layer = layers.emplace_back(LayerAlignment{.path = path});
  for (const AlignmentMetric& metric : alignment_metrics()) layer.*metric.value = kNotMeasured;
  return layer;
}

}  // namespace

std::span<const AlignmentMetric> alignment_metrics() {
  static const AlignmentMetric metrics[] = {
      {"weight_angle", "weight angle", "degrees", &LayerAlignment::weight_angle},
      {"projection_angle", "projection angle", "degrees", &LayerAlignment::projection_angle},
      {"gradient_angle", "gradient angle", "degrees", &LayerAlignment::gradient_angle},
      {"norm_ratio", "norm ratio |B| / |W|", "", &LayerAlignment::norm_ratio},
      {"symmetric_energy", "symmetric energy |(W + B) / 2|\xC2\xB2", "", &LayerAlignment::symmetric_energy},
      {"skew_energy", "skew energy |(W - B) / 2|\xC2\xB2", "", &LayerAlignment::skew_energy},
  };
  return metrics;
}

std::string layer_name(const std::string& path) {
  constexpr std::string_view kEnding = "/weight";
  return path.ends_with(kEnding) ? path.substr(0, path.size() - kEnding.size()) : path;
}

std::vector<LayerAlignment> alignment_of(const MetricsLine& line) {
  std::vector<LayerAlignment> layers;
  for (const auto& [name, value] : line.numbers) {
    const std::size_t slash = name.find('/');
    if (slash == name.npos) continue;
    const auto metric = std::ranges::find(alignment_metrics(), name.substr(0, slash), &AlignmentMetric::key);
    if (metric != alignment_metrics().end()) layer_at(layers, name.substr(slash + 1)).*metric->value = value;
  }
  return layers;
}

std::vector<LayerAlignment> final_alignment(const std::string& run_folder) {
  const std::string path = run_folder + "/metrics.jsonl";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  const std::vector<MetricsLine> lines = read_metrics(path);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    std::vector<LayerAlignment> layers = alignment_of(*line);
    if (!layers.empty()) return layers;
  }
  return {};
}

}  // namespace chiasm
