// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/neural/report_parts.h"
#include "tools/neural/report_sections.h"
#include "tools/report/line_chart.h"
#include "tools/report/scatter_chart.h"

namespace chiasm {
namespace {

using namespace report;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Times {
  std::vector<double> model, reference;  // ms, one per image; NaN: never solved
};

Times times_of(const ResultNode& result) {
  Times times;
  for (const ResultNode& image : result.list("per_image")) {
    times.model.push_back(image.number_or("ost_ms", kNone));
    times.reference.push_back(image.number_or("reference_ms", kNone));
  }
  return times;
}

bool any(const std::vector<double>& times) {
  return std::ranges::any_of(times, [](double t) { return !std::isnan(t); });
}

ScatterChart scatter(const Times& times) {
  ScatterChart chart{.title = "Solution time of each image, model against reference",
                     .x_label = "reference (ms)",
                     .y_label = "model (ms)",
                     .identity = true,
                     .width = 580,
                     .height = 586};  // a square plot
  chart.groups.push_back({.cloud = true});
  for (std::size_t i = 0; i < times.model.size(); ++i) {
    chart.groups[0].points.push_back({.x = times.reference[i], .y = times.model[i]});
  }
  return chart;
}

ChartSeries solved_by(const std::vector<double>& times, const std::vector<double>& at, const char* name,
                      const char* style) {
  ChartSeries series{.label = name, .style = style};
  for (const double t : at) {
    const auto solved = std::ranges::count_if(times, [t](double time) { return time <= t; });
    series.points.push_back({t, 100.0 * static_cast<double>(solved) / static_cast<double>(times.size())});
  }
  return series;
}

LineChart cumulative(const Times& times, std::vector<double> at) {
  std::erase_if(at, [](double t) { return std::isnan(t); });
  std::ranges::sort(at);
  LineChart chart{.title = "Share of images solved by each time",
                  .x_label = "time (ms)",
                  .y_label = "images solved (%)",
                  .y_range = {{0, 100}},
                  .height = 320};
  if (times.model.empty()) return chart;
  if (any(times.model)) chart.series.push_back(solved_by(times.model, at, "model", "s1"));
  if (any(times.reference)) chart.series.push_back(solved_by(times.reference, at, "reference", "s2"));
  return chart;
}

LineChart accuracy(const std::vector<ResultNode>& bins) {
  const BinAxis axis = bin_axis(bins);
  LineChart chart{.title = "Accuracy of the readout in each time bin",
                  .x_label = axis.label,
                  .y_label = "accuracy of the readout (%)",
                  .y_range = {{0, 100}},
                  .height = 320};
  chart.series.push_back({.label = "model"});
  for (std::size_t b = 0; b < bins.size(); ++b) {
    chart.series[0].points.push_back({axis.at[b], 100 * bins[b].number("accuracy")});
  }
  return chart;
}

std::string table_of(const ResultNode& result) {
  Table table({"", "images"});
  table.row({"all", count(result.number("images"))});
  table.row({"solved by the model", count(result.number("solved"))});
  if (const auto reference = result.find("reference")) {
    table.row({"solved by the reference", count(reference->number("solved"))});
  }
  constexpr std::pair<const char*, const char*> kCounts[] = {{"not_solved", "never solved by the model"},
                                                             {"without_threshold", "without a score of the reference"},
                                                             {"never_tested", "never in a test set"},
                                                             {"consistency_images", "solved by both"}};
  for (const auto& [key, words] : kCounts) {
    if (result.find(key)) table.row({words, count(result.number(key))});
  }
  return table.html();
}

}  // namespace

std::string ost_section(const ResultNode& result, const AnalysisResults&) {
  const Times times = times_of(result);
  const double consistency = result.number_or("consistency", kNone);
  std::string about =
      "The solution time of an image is when the readout of the model first reaches the reference's score of that "
      "image (object solution time). ";
  about += any(times.reference)
               ? "Consistency with the reference is Spearman's correlation over the images that both solve: " +
                     number(consistency) + "."
               : "There are no solution times of a reference to compare with.";
  std::vector<std::string> pictures;
  if (any(times.reference) && any(times.model)) pictures.push_back(svg_of(scatter(times)));
  std::string rest;
  const LineChart solved = cumulative(times, result.numbers("bin_starts_ms"));
  if (!solved.series.empty()) rest += svg_of(solved);
  if (const auto bins = result.list_or_none("bins"); !bins.empty()) rest += svg_of(accuracy(bins));
  if (!rest.empty()) pictures.push_back("<div>\n" + rest + "</div>\n");
  return "<h2>Object solution times</h2>\n" + paragraph(about) + charts(pictures) + table_of(result);
}

}  // namespace chiasm
