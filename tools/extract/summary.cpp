// SPDX-License-Identifier: Apache-2.0
#include "tools/extract/summary.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{1024} * usage.ru_maxrss;
}

double mega(std::int64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

void print_json(const FeatureExtraction& extraction, const ImageCheck& check, const ExtractionResult* result) {
  const ExtractionEstimate e = extraction.estimate();
  const FeatureHeader& header = extraction.header();
  Json layers = Json::array();
  for (const FeatureLayer& layer : header.layers) {
    layers.push_back({{"name", layer.name},
                      {"shape", std::vector<std::int64_t>(layer.shape.begin(), layer.shape.end())},
                      {"units", layer.units()},
                      {"arrival_step", layer.arrival_step}});
  }
  Json summary{{"images", header.image_ids.size()},
               {"skipped", check.broken},
               {"layers", layers},
               {"steps", header.steps},
               {"batch", extraction.batch()},
               {"file_bytes", e.file_bytes},
               {"memory_bytes", e.memory_bytes()},
               {"attributes", header.attributes}};
  if (result != nullptr) {
    summary["out"] = result->file;
    summary["seconds"] = result->seconds;
    summary["images_per_second"] = static_cast<double>(header.image_ids.size()) / result->seconds;
    summary["peak_memory_bytes"] = peak_memory_bytes();
  }
  // File names need not be UTF-8.
  std::cout << summary.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void print_plan(const FeatureExtraction& extraction, const std::string& file) {
  const ExtractionEstimate e = extraction.estimate();
  const FeatureHeader& header = extraction.header();
  fmt::print("{}: {} images, {} steps, {} layers, {} images at a time\n", header.attributes.at("network"),
             header.image_ids.size(), header.steps.size(), header.layers.size(), extraction.batch());
  for (const FeatureLayer& layer : header.layers) {
    fmt::print("  {:<20} {:<18} {:>10} units  image arrives at t = {}\n", layer.name, to_string(layer.shape),
               layer.units(), layer.arrival_step);
  }
  fmt::print("{}: {:.1f} MB\n", file.empty() ? "file" : file, mega(e.file_bytes));
  fmt::print("memory: {:.1f} MB for activations, {:.1f} MB for parameters, {:.1f} MB for projections\n",
             mega(e.program_bytes), mega(e.parameter_bytes), mega(e.projection_bytes));
}

void print_result(const FeatureExtraction& extraction, const ImageCheck& check, const ExtractionResult& result) {
  const FeatureHeader& header = extraction.header();
  fmt::print("{}: {} images ({} skipped), {} layers, {} steps, {:.1f} MB; {:.1f} images/s, {:.0f} MB of memory\n",
             result.file, header.image_ids.size(), check.broken.size(), header.layers.size(), header.steps.size(),
             mega(header.bytes()), static_cast<double>(header.image_ids.size()) / result.seconds,
             mega(peak_memory_bytes()));
}

}  // namespace chiasm
