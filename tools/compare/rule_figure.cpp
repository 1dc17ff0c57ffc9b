// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/rule_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/compare/compare_figure.h"
#include "tools/report/line_chart.h"
#include "tools/run_folder/alignment_log.h"

namespace chiasm {
namespace {

constexpr int kWidth = 620, kHeight = 360;
constexpr std::size_t kColours = 9;  // of the style sheet; beyond them marks are hollow and lines dotted

// Each once, in order; "" is the recipe's own rule.
std::vector<std::string> rules_of(const std::vector<Entry>& entries) {
  std::vector<std::string> rules;
  for (const Entry& e : entries) {
    if (std::ranges::find(rules, e.rule) == rules.end()) rules.push_back(e.rule);
  }
  return rules;
}

std::vector<std::string> networks_of(const std::vector<Entry>& entries) {
  std::vector<std::string> labels;
  for (const Entry& e : entries) {
    if (std::ranges::find(labels, e.label()) == labels.end()) labels.push_back(e.label());
  }
  return labels;
}

std::size_t index_in(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

std::string words_of(const std::string& rule) { return rule.empty() ? "as given" : rule; }

// One value, with the ends of its bar, from each entry that has one.
template <class ValueOf>
LayerChart by_rule(const std::vector<Entry>& entries, ValueOf value_of) {
  LayerChart chart{.width = kWidth, .height = kHeight};
  const std::vector<std::string> rules = rules_of(entries), networks = networks_of(entries);
  for (const std::string& rule : rules) chart.names.push_back(words_of(rule));
  const bool one_recipe = std::ranges::all_of(entries, [&](const Entry& e) { return e.recipe == entries[0].recipe; });
  const std::vector<std::string> shown = short_names(networks);
  for (std::size_t n = 0; n < networks.size(); ++n) {
    LayerSeries series{
        .label = networks.size() > 1 ? shown[n] : "", .style = one_recipe ? "ink" : line_style(n), .joined = false};
    for (const Entry& e : entries) {
      if (e.label() != networks[n] || e.done == 0) continue;
      series.hollow = e.minimal;
      LayerValue value;
      if (!value_of(e, value)) continue;
      value.at = index_in(rules, e.rule);
      if (one_recipe) value.style = line_style(value.at);
      series.values.push_back(value);
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

// A chart of one metric: layers in the order in which they come first.
LayerChart by_layer(const std::vector<const Entry*>& entries, const std::vector<std::string>& rules,
                    const AlignmentMetric& metric) {
  LayerChart chart{.title = metric.name + " of each layer at the end of training",
                   .y_label = metric.name + (metric.unit.empty() ? "" : " (" + metric.unit + ")"),
                   .width = kWidth,
                   .height = kHeight};
  std::vector<std::string> paths;
  for (const Entry* e : entries) {
    for (const LayerAlignment& layer : e->alignment) {
      if (std::ranges::find(paths, layer.path) == paths.end()) paths.push_back(layer.path);
    }
  }
  for (const std::string& path : paths) chart.names.push_back(layer_name(path));
  for (const Entry* e : entries) {
    if (e->alignment.empty()) continue;
    const std::size_t index = index_in(rules, e->rule);
    LayerSeries series{.label = words_of(e->rule), .style = line_style(index), .hollow = index >= kColours};
    for (const LayerAlignment& layer : e->alignment) {
      series.values.push_back({.y = layer.*metric.value, .at = index_in(paths, layer.path)});
    }
    std::ranges::sort(series.values, {}, &LayerValue::at);
    chart.series.push_back(std::move(series));
  }
  if (metric.unit == "degrees") chart.guides = {{90.0, ""}};
  if (metric.key == "norm_ratio") chart.guides = {{1.0, ""}};
  return chart;
}

}  // namespace

LayerChart accuracy_by_rule(const std::vector<Entry>& entries) {
  LayerChart chart = by_rule(entries, [](const Entry& e, LayerValue& value) {
    value.y = 100.0 * e.top1;
    value.ends = {{100.0 * e.top1_min, 100.0 * e.top1_max}};
    return true;
  });
  chart.title = "Test accuracy under each learning rule";
  chart.y_label = "test accuracy (%)";
  chart.from_zero = false;
  return chart;
}

LayerChart angle_by_rule(const std::vector<Entry>& entries) {
  LayerChart chart = by_rule(entries, [](const Entry& e, LayerValue& value) {
    value.y = mean_weight_angle(e.alignment);
    if (!std::isfinite(value.y)) return false;
    value.ends = {{value.y, value.y}};
    for (const LayerAlignment& layer : e.alignment) {
      value.ends->first = std::fmin(value.ends->first, layer.weight_angle);  // passes over what is not a number
      value.ends->second = std::fmax(value.ends->second, layer.weight_angle);
    }
    return true;
  });
  chart.title = "Final weight angle under each learning rule, mean and range over layers";
  chart.y_label = "weight angle (degrees), mean and range over layers";
  chart.guides = {{90.0, ""}};
  return chart;
}

std::vector<NetworkAlignment> alignment_by_layer(const std::vector<Entry>& entries) {
  std::vector<NetworkAlignment> networks;
  const std::vector<std::string> rules = rules_of(entries);
  for (const std::string& label : networks_of(entries)) {
    std::vector<const Entry*> own;
    for (const Entry& e : entries) {
      if (e.label() == label && !e.alignment.empty()) own.push_back(&e);
    }
    if (own.empty()) continue;
    NetworkAlignment network{label, {}};
    for (const AlignmentMetric& metric : alignment_metrics()) {
      if (metric.key.ends_with("_energy")) continue;  // of one run over time, in its own report
      network.charts.push_back(by_layer(own, rules, metric));
    }
    networks.push_back(std::move(network));
  }
  return networks;
}

}  // namespace chiasm
