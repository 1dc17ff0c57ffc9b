// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tools/report/svg_page.h"

namespace chiasm {
namespace {

constexpr int kStyles = 9;  // of the style sheet
constexpr int kWidth = 620, kHeight = 440;
constexpr int kTimeHeight = 400;

// The recipes in their order, each with its entry as given and its control, where they are done.
struct Pair {
  std::string name;
  std::string style;
  const Entry* given = nullptr;
  const Entry* control = nullptr;
};

std::vector<Pair> pairs_of(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& e : entries) {
    if (std::find(names.begin(), names.end(), e.recipe) == names.end()) names.push_back(e.recipe);
  }
  const std::vector<std::string> shown = short_names(names);
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < names.size(); ++i) {
    pairs.push_back({shown[i], fmt::format("s{}", i % kStyles + 1)});
    for (const Entry& e : entries) {
      if (e.recipe == names[i] && e.done > 0) (e.minimal ? pairs[i].control : pairs[i].given) = &e;
    }
  }
  return pairs;
}

std::vector<ChartPoint> front_of(SizeAxis axis, const std::vector<Entry>& entries) {
  std::vector<ChartPoint> front;
  for (const Entry& e : entries) {
    if (axis == SizeAxis::kParameters && e.front_of_parameters) {
      front.push_back({static_cast<double>(e.parameters), 100.0 * e.top1});
    } else if (axis == SizeAxis::kUnits && e.front_of_units) {
      front.push_back({static_cast<double>(e.units), 100.0 * e.top1});
    }
  }
  std::sort(front.begin(), front.end(), [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
  return front;
}

}  // namespace

std::vector<std::string> short_names(const std::vector<std::string>& names) {
  if (names.size() < 2) return names;
  std::string common = names[0];
  for (const std::string& name : names) {
    const auto end = std::mismatch(common.begin(), common.end(), name.begin(), name.end()).first;
    common.erase(end, common.end());
  }
  const std::size_t cut = common.rfind('_') + 1;  // 0 when there is none
  std::vector<std::string> shown;
  for (const std::string& name : names) shown.push_back(name.substr(cut));
  return std::find(shown.begin(), shown.end(), "") == shown.end() ? shown : names;
}

ScatterChart accuracy_against(SizeAxis axis, const std::vector<Entry>& entries) {
  ScatterChart chart;
  const char* size = axis == SizeAxis::kParameters ? "parameters" : "units";
  chart.title = fmt::format("Test accuracy against the number of {}", size);
  chart.x_label = size;
  chart.y_label = "test accuracy (%)";
  chart.logarithmic_x = true;
  chart.width = kWidth;
  chart.height = kHeight;
  chart.front = front_of(axis, entries);
  chart.front_label = "front";
  for (const Pair& pair : pairs_of(entries)) {
    ScatterGroup group{.label = pair.name, .style = pair.style};
    for (const Entry* e : {pair.given, pair.control}) {
      if (e == nullptr) continue;
      if (e->minimal) chart.legend = {"as given", "minimally unrolled"};
      group.points.push_back({.x = static_cast<double>(axis == SizeAxis::kParameters ? e->parameters : e->units),
                              .y = 100.0 * e->top1,
                              .y_low = 100.0 * e->top1_min,
                              .y_high = 100.0 * e->top1_max,
                              .hollow = e->minimal});
    }
    chart.groups.push_back(std::move(group));
  }
  return chart;
}

LineChart accuracy_over_time(const std::vector<Entry>& entries) {
  LineChart chart;
  chart.title = "Test accuracy of the readout at every timestep";
  chart.x_label = "timestep";
  chart.y_label = "test accuracy (%)";
  chart.whole_x = true;
  chart.width = 2 * kWidth;
  chart.height = kTimeHeight;
  double last = 0.0, first = std::numeric_limits<double>::infinity();
  for (const Pair& pair : pairs_of(entries)) {
    const Entry* e = pair.given != nullptr ? pair.given : pair.control;
    if (e == nullptr) continue;
    ChartSeries series{.label = pair.name, .style = pair.style};
    for (std::size_t t = static_cast<std::size_t>(e->arrival); t < e->top1_by_step.size(); ++t) {
      series.points.push_back({static_cast<double>(t), 100.0 * e->top1_by_step[t]});
    }
    first = std::min(first, static_cast<double>(e->arrival));
    last = std::max(last, static_cast<double>(e->steps - 1));
    chart.series.push_back(std::move(series));
  }
  if (!chart.series.empty()) chart.x_range = {first, std::max(last, first + 1.0)};
  return chart;
}

std::string figure_html(const std::vector<Entry>& entries) {
  return fmt::format("<div class=\"charts\">\n{}{}</div>\n<h2>Accuracy over time</h2>\n<div>\n{}</div>\n",
                     svg_of(accuracy_against(SizeAxis::kParameters, entries)),
                     svg_of(accuracy_against(SizeAxis::kUnits, entries)), svg_of(accuracy_over_time(entries)));
}

std::string figure_svg(const std::vector<Entry>& entries) {
  constexpr int kMargin = 10, kBetween = 24;
  return svg_page("Comparison of networks", 2 * kWidth + 2 * kMargin, kHeight + kBetween + kTimeHeight + 2 * kMargin,
                  {{svg_of(accuracy_against(SizeAxis::kParameters, entries)), kMargin, kMargin},
                   {svg_of(accuracy_against(SizeAxis::kUnits, entries)), kMargin + kWidth, kMargin},
                   {svg_of(accuracy_over_time(entries)), kMargin, kMargin + kHeight + kBetween}});
}

}  // namespace chiasm
