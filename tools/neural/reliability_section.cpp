// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/neural/report_parts.h"
#include "tools/neural/report_sections.h"
#include "tools/report/line_chart.h"

namespace chiasm {
namespace {

using namespace report;

constexpr int kHistogramBins = 20;
constexpr std::size_t kMostNamed = 12;  // lines of a chart that are told apart by colour and dash

std::string name_of(const ResultNode& group) {
  const std::string area = group.text("area"), specimen = group.text("specimen");
  if (area.empty() && specimen.empty()) return "all units";
  return area.empty() || specimen.empty() ? area + specimen : area + ", " + specimen;
}

struct Group {
  std::string name;
  std::vector<double> values;  // those that are defined
};

// The units of all animals of an area together: outlines of many small groups would hide each other.
void add_to_area(std::vector<Group>& areas, const std::string& area, const std::vector<double>& values) {
  auto at = std::ranges::find(areas, area_name(area), &Group::name);
  if (at == areas.end()) at = areas.insert(at, {area_name(area), {}});
  at->values.insert(at->values.end(), values.begin(), values.end());
}

// Outlines of histograms with the same bins: a line may pass before another, a bar would hide it.
LineChart histogram(const std::vector<Group>& groups) {
  double low = 0, high = 1;
  for (const Group& group : groups) {
    for (const double value : group.values) low = std::min(low, value), high = std::max(high, value);
  }
  const double width = std::max(0.05, (high - low) / kHistogramBins);
  const double start = std::floor(low / width + 1e-9) * width;
  const int bins = std::max(1, static_cast<int>(std::ceil((high - start) / width - 1e-9)));
  LineChart chart{.title = "Distribution of reliabilities over units",
                  .x_label = "reliability",
                  .y_label = "share of units (%)",
                  .x_range = {{start, start + bins * width}},
                  .height = 320};
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<double> share(static_cast<std::size_t>(bins), 0.0);
    for (const double value : groups[g].values) {
      const int bin = std::clamp(static_cast<int>((value - start) / width), 0, bins - 1);
      share[static_cast<std::size_t>(bin)] += 100.0 / static_cast<double>(groups[g].values.size());
    }
    ChartSeries series{.style = g < kMostNamed ? style_of(g) : "muted"};
    if (groups.size() > 1 && g < kMostNamed) series.label = groups[g].name;
    series.points.push_back({start, 0});
    for (int bin = 0; bin < bins; ++bin) {
      for (const int end : {bin, bin + 1}) {
        series.points.push_back({start + end * width, share[static_cast<std::size_t>(bin)]});
      }
    }
    series.points.push_back({start + bins * width, 0});
    chart.series.push_back(std::move(series));
  }
  return chart;
}

LineChart over_time(const std::vector<ResultNode>& groups) {
  LineChart chart{.title = "Median reliability in each time bin", .y_label = "median reliability", .height = 320};
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<ResultNode> bins = groups[g].list_or_none("bins");
    if (bins.empty()) continue;
    const BinAxis axis = bin_axis(bins);
    chart.x_label = axis.label;
    ChartSeries series{.label = name_of(groups[g]), .style = g < kMostNamed ? style_of(g) : "muted"};
    if (g >= kMostNamed) series.label.clear();
    for (std::size_t b = 0; b < bins.size(); ++b) {
      series.points.push_back({axis.at[b], bins[b].at("reliability").number("median")});
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

}  // namespace

std::string reliability_section(const ResultNode& result, const AnalysisResults&) {
  const std::vector<ResultNode> nodes = result.list("groups");
  Table table({"units of", "units", "median \xC2\xB1 s.e.m.", "least", "most", "half against half", "undefined units",
               "undefined halvings"});
  std::vector<Group> areas;
  for (const ResultNode& node : nodes) {
    Group group{name_of(node), {}};
    for (const double value : node.numbers("per_unit")) {
      if (std::isfinite(value)) group.values.push_back(value);
    }
    const ResultNode full = node.at("reliability");
    const Summarised all = summary_at(node, "reliability"), half = summary_at(node, "half_reliability");
    table.row({group.name, count(all.units + all.undefined_units), with_error(all.median, all.sem),
               number(full.number("min")), number(full.number("max")), number(half.median), count(all.undefined_units),
               count(node.number("undefined_draws"))});
    add_to_area(areas, node.text("area"), group.values);
  }
  std::vector<std::string> pictures;
  pictures.push_back(svg_of(histogram(areas)));
  const LineChart course = over_time(nodes);
  if (!course.series.empty()) pictures.push_back(svg_of(course));
  return "<h2>Reliability of the responses</h2>\n" +
         paragraph(fmt::format("How well the responses of a unit to one half of its trials agree with those to the "
                               "other half: correlations over {} stimuli, corrected to all trials (Spearman-Brown) and "
                               "averaged over {}. Responses from {}, averaged over time bins.",
                               count(result.at("responses").number("stimuli")),
                               plural(result.number("draws"), "halving"), result.at("responses").text("file"))) +
         charts(pictures) + table.html();
}

}  // namespace chiasm
