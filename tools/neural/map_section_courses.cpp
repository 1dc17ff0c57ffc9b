// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/map_section_courses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/neural/report_parts.h"
#include "tools/report/line_chart.h"

namespace chiasm {
namespace {

using namespace report;

constexpr std::size_t kMostNamed = 6;  // lines that a reader tells apart; the others are grey
constexpr std::size_t kMostUnits = 6;

}  // namespace

std::string scores_over_time(const std::vector<std::string>& names, const std::vector<ResultNode>& layers,
                             bool corrected) {
  LineChart chart{.title = "Median score in each time bin, by layer",
                  .y_label = corrected ? "published form, per time bin" : "r, per time bin",
                  .height = 380};
  std::vector<std::pair<double, std::size_t>> peaks;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::vector<ResultNode> bins = layers[l].list_or_none("bins");
    if (bins.empty()) return "";
    const BinAxis axis = bin_axis(bins);
    chart.x_label = axis.label;
    ChartSeries series{.style = "muted"};
    double peak = -2;
    for (std::size_t b = 0; b < bins.size(); ++b) {
      const double median = summary_at(bins[b], corrected ? "published" : "raw").median;
      series.points.push_back({axis.at[b], median});
      if (std::isfinite(median)) peak = std::max(peak, median);
    }
    chart.series.push_back(std::move(series));
    peaks.emplace_back(-peak, l);
  }
  if (chart.series.empty()) return "";
  std::ranges::sort(peaks);
  peaks.resize(std::min(peaks.size(), kMostNamed));
  std::ranges::sort(peaks, {}, [](const auto& p) { return p.second; });
  // The grey lines first, so that the others cover them.
  std::vector<ChartSeries> named;
  for (const auto& [peak, l] : peaks) {
    chart.series[l].label = names[l];
    chart.series[l].style = style_of(named.size());
    named.push_back(chart.series[l]);
  }
  std::erase_if(chart.series, [](const ChartSeries& s) { return s.style != "muted"; });
  chart.series.insert(chart.series.end(), named.begin(), named.end());
  return svg_of(chart);
}

std::string time_courses(const ResultNode& course) {
  const std::vector<double> starts = course.numbers_or_none("start_ms");
  std::vector<std::string> pictures;
  for (const ResultNode& unit : course.list("units")) {
    if (pictures.size() == kMostUnits) break;
    const std::vector<double> observed = unit.numbers("observed"), predicted = unit.numbers("predicted");
    if (observed.size() != predicted.size()) {
      unit.at("predicted").fail(fmt::format("{} numbers, as observed has", observed.size()));
    }
    const BinAxis axis = bin_axis(starts, observed.size());
    const std::string id = unit.text("id");
    const double score = unit.number_or("score", std::nan(""));
    LineChart chart{.title = "Responses of unit " + id + " over time",
                    .x_label = axis.label,
                    .y_label = std::isfinite(score) ? fmt::format("unit {} (score {:.3f})", id, score) : "unit " + id,
                    .width = 400,
                    .height = 230};
    chart.series = {{.label = "observed", .style = "s1"}, {.label = "predicted", .style = "s2"}};
    for (std::size_t b = 0; b < observed.size(); ++b) {
      chart.series[0].points.push_back({axis.at[b], observed[b]});
      chart.series[1].points.push_back({axis.at[b], predicted[b]});
    }
    pictures.push_back("<div class=\"example\">" + svg_of(chart) + "</div>\n");
  }
  if (pictures.empty()) return "";
  std::string out = heading("Responses over time") +
                    paragraph(fmt::format("Mean response to the test stimuli in each time bin, and what {} predicts. "
                                          "Shown are units that are predicted well, not typical ones.",
                                          course.text_or("layer", "the model"))) +
                    "<div class=\"examples\">\n";
  for (const std::string& picture : pictures) out += picture;
  return out + "</div>\n";
}

}  // namespace chiasm
