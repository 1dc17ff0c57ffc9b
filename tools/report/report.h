// SPDX-License-Identifier: Apache-2.0
// report.html of a run folder: what was trained, how it learned, how its answer unfolds in time. One file without
// scripts or links to anywhere, so that it opens offline, prints, and can be mailed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chiasm {

struct ReportScore {
  std::string name = {};   // "test accuracy"
  std::string value = {};  // "91.3 %"
  std::string note = {};   // "10 000 images, last timestep"; may be empty
};

struct ReportCurve {
  std::string label = {};
  std::vector<std::pair<double, double>> points = {};  // (x, value), x ascending; not finite: a gap
};

// Curves by layer.
struct ReportLayerChart {
  std::string title = {};
  std::string y_label = {};
  std::vector<ReportCurve> layers = {};  // the same in all charts of a section
  bool logarithmic = false;
  std::optional<std::pair<double, double>> y_range = {};
  std::optional<std::pair<double, std::string>> guide = {};  // a value to compare with, and its name
};

struct ReportExample {
  int width = 0, height = 0, channels = 1;  // 1 grey, 3 red-green-blue
  std::vector<std::uint8_t> pixels = {};    // rows from the top, channels interleaved, 0 black
  int true_class = 0;
  std::vector<std::vector<double>> probabilities = {};  // [timestep][class], each row sums to 1
};

// A metric of the task that has no part of the page of its own.
struct ReportMetric {
  std::string words = {};                // "correlation"
  std::string unit = {};                 // "%": values are fractions of 1
  std::vector<ReportCurve> curves = {};  // over training
  std::vector<double> by_timestep = {};  // from `first_timestep` on
};

struct ReportData {
  std::string title = {};     // "fashion_rgc"
  std::string subtitle = {};  // one line: what was trained on what
  std::vector<ReportScore> scores = {};
  std::vector<std::pair<std::string, std::string>> recipe = {};  // name, value
  std::vector<std::pair<std::string, std::string>> machine = {};

  std::string progress_label = "training step";  // the x axis of both curves, with its unit
  std::vector<ReportCurve> loss = {};
  std::string loss_unit = "nats";
  std::vector<ReportCurve> accuracy = {};  // fractions of 1

  std::vector<ReportMetric> metrics = {};
  std::vector<ReportLayerChart> alignment = {};  // of backward with forward weights, over training

  std::vector<double> accuracy_per_timestep = {};  // fractions of 1, from `first_timestep` on
  int first_timestep = 0;
  double chance = 0;                                 // 1 / classes; 0: not drawn
  double dt_ms = 0;                                  // 0: not known
  std::optional<std::pair<int, int>> image_on = {};  // first and last timestep with the image on
  std::optional<int> image_arrival = {};             // first timestep at which the readout can depend on the image

  std::vector<std::string> class_names = {};
  std::vector<ReportExample> examples = {};  // a dozen at most reads well
};

// The page. A section without data is left out. Throws InputError when the parts of an example do not fit each other.
std::string report_html(const ReportData& data);

// The same, written as a whole or not at all. Throws SystemError too.
void write_report(const std::string& path, const ReportData& data);

}  // namespace chiasm
