// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/neural/map_section_courses.h"
#include "tools/neural/report_parts.h"
#include "tools/neural/report_sections.h"
#include "tools/report/layer_chart.h"

namespace chiasm {
namespace {

using namespace report;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kAllAreas = "all areas";

// One area, layer by layer.
struct Area {
  std::string name;  // as in the file
  std::vector<ResultNode> layers;
  std::string best;
  bool corrected = false;
};

struct Layers {
  std::vector<std::string> names;
  std::vector<double> units;
  std::vector<Area> areas;
};

Layers layers_of(const ResultNode& result) {
  Layers layers;
  for (const ResultNode& layer : result.list("layers")) {
    const std::vector<ResultNode> areas = layer.list("areas");
    if (!layers.names.empty() && areas.size() != layers.areas.size()) {
      layer.at("areas").fail(fmt::format("{} areas, as the first layer has", layers.areas.size()));
    }
    for (std::size_t a = 0; a < areas.size(); ++a) {
      const std::string name = areas[a].text("area");
      if (layers.names.empty()) layers.areas.push_back({name, {}, "", false});
      if (layers.areas[a].name != name) areas[a].at("area").fail("the areas of the first layer, in their order");
      layers.areas[a].layers.push_back(areas[a]);
      if (areas[a].find("published")) layers.areas[a].corrected = true;
    }
    layers.names.push_back(layer.text("layer"));
    layers.units.push_back(layer.number("units"));
  }
  for (const ResultNode& best : result.list_or_none("best")) {
    for (Area& area : layers.areas) {
      if (area.name == best.text("area")) area.best = best.text_or("layer", "");
    }
  }
  return layers;
}

// The inter-animal consistency of an area in one form; NaN where there is none. That of all areas is over all units.
double ceiling_of(const std::string& area, const char* form, const AnalysisResults& all) {
  const auto found = all.find("consistency");
  if (found == all.end()) return kNone;
  std::vector<double> units;
  for (const ResultNode& node : found->second.list("areas")) {
    if (area == node.text("area")) return summary_at(node, form).median;
    for (const ResultNode& animal : node.list("animals")) {
      const std::vector<double> more = animal.numbers_or_none(form);
      units.insert(units.end(), more.begin(), more.end());
    }
  }
  return area == kAllAreas ? summarise(units).median : kNone;
}

LayerSeries series_of(const Area& area, const Form& form, std::size_t index) {
  LayerSeries series{.label = form.name, .style = style_of(index), .hollow = index > 0};
  for (std::size_t l = 0; l < area.layers.size(); ++l) {
    const Summarised s = summary_at(area.layers[l], form.key);
    series.values.push_back({s.median, s.sem, l});
  }
  return series;
}

LayerChart score_chart(const Layers& layers, const Area& area, const AnalysisResults& all) {
  LayerChart chart{.title = "Noise-corrected predictivity of " + area_name(area.name),
                   .y_label = "noise-corrected predictivity",
                   .names = layers.names,
                   .height = 380};
  for (const Form& form : kCorrected) {
    chart.series.push_back(series_of(area, form, chart.series.size()));
    const double ceiling = ceiling_of(area.name, form.key, all);
    chart.guides.push_back({ceiling, fmt::format("other animals, {}: {:.3f}", form.name, ceiling)});
  }
  return chart;
}

// The reliabilities of the units of an area, or of all areas.
std::vector<double> reliabilities(const ResultNode& result, const std::string& area) {
  std::vector<double> units;
  for (const ResultNode& row : result.list_or_none("reliability")) {
    if (area != kAllAreas && row.text("area") != area) continue;
    const std::vector<double> more = row.numbers("per_unit");
    units.insert(units.end(), more.begin(), more.end());
  }
  return units;
}

// No prediction can correlate better with responses than the square root of their reliability. Units whose reliability
// is not positive have none, and are counted.
ChartGuide split_half_ceiling(std::vector<double> reliability) {
  for (double& value : reliability) value = value > 0 ? std::sqrt(value) : kNone;
  const Summary s = summarise(reliability);
  std::string label = fmt::format("split-half ceiling: {:.3f}", s.median);
  if (s.dropped > 0) label += fmt::format(" ({} without one)", plural(static_cast<double>(s.dropped), "unit"));
  return {s.median, label};
}

LayerChart raw_chart(const ResultNode& result, const Layers& layers, const Area& area, const AnalysisResults& all) {
  LayerChart chart{.title = "Correlation of predictions with responses of " + area_name(area.name),
                   .y_label = "r, not corrected",
                   .names = layers.names,
                   .height = 380};
  chart.series = {series_of(area, {"raw", ""}, 0)};
  chart.guides.push_back(split_half_ceiling(reliabilities(result, area.name)));
  if (!area.corrected) {
    const double others = ceiling_of(area.name, "raw", all);
    chart.guides.push_back({others, fmt::format("other animals: {:.3f}", others)});
  }
  return chart;
}

std::string table_of(const Layers& layers, const Area& area) {
  std::vector<std::string> headings{"layer", "features"};
  if (area.corrected) headings.insert(headings.end(), {"published", "plain"});
  headings.push_back("r");
  const bool normalised = !area.layers.empty() && area.layers[0].find("normalised");
  if (normalised) headings.push_back("r / ceiling");
  headings.insert(headings.end(), {"units", "undefined units", "undefined bootstraps", "not converged"});
  Table table(headings);
  for (std::size_t l = 0; l < area.layers.size(); ++l) {
    const ResultNode& node = area.layers[l];
    const auto cell = [&](const char* key) {
      const Summarised s = summary_at(node, key);
      return s.present ? with_error(s.median, s.sem) : std::string();
    };
    const Summarised main = summary_at(node, area.corrected ? "published" : "raw");
    std::vector<std::string> cells{layers.names[l], count(layers.units[l])};
    if (area.corrected) cells.insert(cells.end(), {cell("published"), cell("plain")});
    cells.push_back(cell("raw"));
    if (normalised) cells.push_back(cell("normalised"));
    cells.insert(cells.end(), {count(main.units + main.undefined_units), count(main.undefined_units),
                               count(node.number("undefined")), count(node.number("not_converged"))});
    table.row(cells, layers.names[l] == area.best);
  }
  return table.html();
}

std::string ceiling_words(const Layers& layers, const AnalysisResults& all) {
  const auto found = all.find("consistency");
  if (found == all.end()) {
    return "There is no inter-animal ceiling: this folder holds no consistency.json (chiasm consistency makes it).";
  }
  std::string missing;
  for (const Area& area : layers.areas) {
    if (std::isfinite(ceiling_of(area.name, area.corrected ? "published" : "raw", all))) continue;
    missing += (missing.empty() ? "" : ", ") + area_name(area.name);
  }
  return fmt::format(
      "Dotted lines named \"other animals\" are the inter-animal consistency of the same area in the same "
      "form (map: {}, source: {}).{}",
      found->second.text("method"), found->second.text("source"),
      missing.empty() ? "" : " There is none for: " + missing + ".");
}

std::string about(const ResultNode& result, const Layers& layers, const AnalysisResults& all) {
  const ResultNode map = result.at("map");
  std::string method = map.text("method");
  if (method == "pls") method += fmt::format(" with {}", plural(map.number("components"), "component"));
  const bool corrected = std::ranges::any_of(layers.areas, [](const Area& a) { return a.corrected; });
  std::string out = paragraph(
      fmt::format("Responses of {} predicted from the features of {}, layer by layer, by {}: {} training and {} test "
                  "stimuli, {}, {}. Marks are medians over units, bars their s.e.m.; the best layer is bold in the "
                  "table.",
                  result.at("responses").text("file"), result.text("features"), method,
                  count(result.number("train_stimuli")), count(result.number("test_stimuli")),
                  plural(result.number("splits"), "split"), plural(result.number("bootstraps"), "bootstrap")));
  if (corrected) {
    out += paragraph(
        "Published is the correction of the studies' tables: the correlation of the prediction fitted to one half of "
        "the trials with the other half, over the root of the Spearman-Brown corrected agreement of the two maps times "
        "that of the two halves; it is biased towards zero where responses are noisy. Plain is the same without "
        "Spearman-Brown, which is not biased. r is not corrected: the correlation with the mean over all trials; r / "
        "ceiling is r over the square root of the split-half reliability of the unit.");
  } else {
    out += paragraph(
        "r is the correlation of the prediction with the mean over all trials. It is not corrected for "
        "noise: there were no bootstraps of halves of the trials.");
  }
  return out + paragraph(ceiling_words(layers, all));
}

}  // namespace

std::string map_section(const ResultNode& result, const AnalysisResults& all) {
  const Layers layers = layers_of(result);
  std::string out = "<h2>Predictivity by layer</h2>\n" + about(result, layers, all);
  for (const Area& area : layers.areas) {
    std::vector<std::string> pictures;
    if (area.corrected) pictures.push_back(svg_of(score_chart(layers, area, all)));
    pictures.push_back(svg_of(raw_chart(result, layers, area, all)));
    if (const std::string courses = scores_over_time(layers.names, area.layers, area.corrected); !courses.empty()) {
      pictures.push_back(courses);
    }
    out += heading(area_name(area.name)) + charts(pictures) + table_of(layers, area);
  }
  if (const auto course = result.find("time_course")) out += time_courses(*course);
  return out;
}

}  // namespace chiasm
