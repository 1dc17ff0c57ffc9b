// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tools/compare/rule_figure.h"
#include "tools/report/html.h"
#include "tools/report/svg_page.h"

namespace chiasm {
namespace {

constexpr int kStyles = 9;  // of the style sheet
constexpr int kWidth = 620, kHeight = 440;
constexpr int kTimeHeight = 400;

// The recipes in their order, and the rules of each, with its entry as given and its control, where they are done.
struct Pair {
  std::string name;
  std::string style;
  const Entry* given = nullptr;
  const Entry* control = nullptr;
};

std::vector<std::string> recipes_of(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& e : entries) {
    if (std::find(names.begin(), names.end(), e.recipe) == names.end()) names.push_back(e.recipe);
  }
  return names;
}

std::vector<Pair> pairs_of(const std::vector<Entry>& entries) {
  const std::vector<std::string> names = recipes_of(entries);
  const std::vector<std::string> shown = short_names(names);
  std::vector<std::pair<std::string, std::string>> seen;  // recipe and rule
  std::vector<Pair> pairs;
  for (const Entry& e : entries) {
    const std::pair<std::string, std::string> key{e.recipe, e.rule};
    const auto at = static_cast<std::size_t>(std::ranges::find(seen, key) - seen.begin());
    if (at == seen.size()) {
      seen.push_back(key);
      std::string name = shown[static_cast<std::size_t>(std::ranges::find(names, e.recipe) - names.begin())];
      if (!e.rule.empty()) name = names.size() > 1 ? name + ", " + e.rule : e.rule;
      pairs.push_back({name, fmt::format("s{}", at % kStyles + 1)});
    }
    if (e.done > 0) (e.minimal ? pairs[at].control : pairs[at].given) = &e;
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

namespace {

struct FigurePart {
  std::string heading = {};  // of a page; the figure's panels say what they are
  std::vector<std::string> charts = {};
  int height = 0;
  bool wide = false;  // a chart as wide as two
};

std::vector<FigurePart> parts_of(const std::vector<Entry>& entries) {
  std::vector<FigurePart> parts;
  if (compares_sizes(entries)) {
    parts.push_back({"",
                     {svg_of(accuracy_against(SizeAxis::kParameters, entries)),
                      svg_of(accuracy_against(SizeAxis::kUnits, entries))},
                     kHeight});
  }
  if (has_rules(entries)) {
    FigurePart& part = parts.emplace_back();
    part.heading = parts.size() > 1 ? "Learning rules" : "";
    const LayerChart accuracy = accuracy_by_rule(entries);
    part.charts = {svg_of(accuracy)};
    part.height = accuracy.height;
    if (has_alignment(entries)) part.charts.push_back(svg_of(angle_by_rule(entries)));
  }
  for (NetworkAlignment& network : alignment_by_layer(entries)) {
    FigurePart& part = parts.emplace_back();
    const bool several = recipes_of(entries).size() > 1 || network.network != entries[0].label();
    part.heading = several ? "Alignment by layer: " + network.network : "Alignment by layer";
    for (LayerChart& chart : network.charts) {
      if (several) chart.y_label += ", " + network.network;
      part.height = chart.height;
      part.charts.push_back(svg_of(chart));
    }
  }
  const LineChart time = accuracy_over_time(entries);
  const auto is_line = [](const ChartSeries& series) { return series.points.size() > 1; };
  if (!has_rules(entries) || std::ranges::any_of(time.series, is_line)) {
    parts.push_back({"Accuracy over time", {svg_of(time)}, kTimeHeight, true});
  }
  return parts;
}

}  // namespace

std::string figure_html(const std::vector<Entry>& entries) {
  std::string out;
  for (const FigurePart& part : parts_of(entries)) {
    if (!part.heading.empty()) out += fmt::format("<h2>{}</h2>\n", html::escape(part.heading));
    out += part.wide ? "<div>\n" : "<div class=\"charts\">\n";
    for (const std::string& chart : part.charts) out += chart;
    out += "</div>\n";
  }
  return out;
}

std::string figure_svg(const std::vector<Entry>& entries) {
  constexpr int kMargin = 10, kBetween = 24;
  std::vector<SvgPanel> panels;
  int y = kMargin;
  for (const FigurePart& part : parts_of(entries)) {
    for (std::size_t i = 0; i < part.charts.size(); ++i) {
      if (i > 0 && i % 2 == 0) y += part.height + kBetween;
      panels.push_back(
          {part.charts[i], static_cast<double>(kMargin + (i % 2 == 0 ? 0 : kWidth)), static_cast<double>(y)});
    }
    y += part.height + kBetween;
  }
  return svg_page("Comparison of networks", 2 * kWidth + 2 * kMargin, std::max(y - kBetween, kHeight) + kMargin,
                  panels);
}

}  // namespace chiasm
