// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tools/neural/report_parts.h"
#include "tools/neural/report_sections.h"
#include "tools/report/layer_chart.h"

namespace chiasm {
namespace {

using namespace report;

constexpr Form kRaw[] = {{"raw", "not corrected"}};

// The forms that were computed: both corrected ones, or the raw one where nothing could be corrected.
std::vector<Form> forms_of(const std::vector<ResultNode>& areas) {
  for (const ResultNode& area : areas) {
    if (area.find("published")) return {std::begin(kCorrected), std::end(kCorrected)};
  }
  return {std::begin(kRaw), std::end(kRaw)};
}

LayerChart chart_of(const ResultNode& area, const std::vector<Form>& forms) {
  LayerChart chart{.title = "Inter-animal consistency of " + area_name(area.text("area")),
                   .y_label = "median over units"};
  for (const Form& form : forms) {
    chart.series.push_back(
        {.label = form.name, .style = style_of(chart.series.size()), .hollow = !chart.series.empty(), .joined = false});
  }
  for (const ResultNode& animal : area.list("animals")) {
    for (std::size_t f = 0; f < forms.size(); ++f) {
      const Summary s = summarise(animal.numbers_or_none(forms[f].key));
      chart.series[f].values.push_back({s.median, s.sem, chart.names.size()});
    }
    chart.names.push_back(animal.text("animal"));
  }
  return chart;
}

void add_rows(Table& table, const ResultNode& area) {
  const std::string name = area_name(area.text("area"));
  double undefined = 0;
  const std::vector<ResultNode> animals = area.list("animals");
  for (const ResultNode& animal : animals) undefined += animal.number("undefined");
  const auto summarised = [](const Summarised& s) { return s.present ? with_error(s.median, s.sem) : ""; };
  const Summarised published = summary_at(area, "published"), plain = summary_at(area, "plain"),
                   raw = summary_at(area, "raw");
  const Summarised& main = published.present ? published : raw;
  table.row({name, "all", count(main.units + main.undefined_units), summarised(published), summarised(plain),
             summarised(raw), count(main.undefined_units), count(undefined)},
            true);
  for (const ResultNode& animal : animals) {
    std::vector<std::string> cells{"", animal.text("animal"), count(static_cast<double>(animal.list("units").size()))};
    Summary counted;
    for (const char* key : {"raw", "plain", "published"}) {
      const std::vector<double> values = animal.numbers_or_none(key);
      const Summary s = summarise(values);
      if (!values.empty()) counted = s;
      cells.insert(cells.begin() + 3, values.empty() ? "" : with_error(s.median, s.sem));
    }
    cells.push_back(count(static_cast<double>(counted.dropped)));
    cells.push_back(count(animal.number("undefined")));
    table.row(cells);
  }
}

}  // namespace

std::string consistency_section(const ResultNode& result, const AnalysisResults&) {
  const std::vector<ResultNode> areas = result.list("areas");
  const std::vector<Form> forms = forms_of(areas);
  Table table({"area", "animal", "units", "published", "plain", "r", "undefined units", "undefined bootstraps"});
  std::string pictures = "<div class=\"charts\">\n";
  for (const ResultNode& area : areas) {
    pictures += "<div>" + heading(area_name(area.text("area"))) + svg_of(chart_of(area, forms)) + "</div>\n";
    add_rows(table, area);
  }
  const bool pooled = result.text("source") == "pooled";
  return "<h2>Inter-animal consistency</h2>\n" +
         paragraph(fmt::format(
             "How well other animals predict the units of each: the ceiling that models are compared "
             "with. The map is {}, from {}; {} and {}. Marks are medians over the units of an "
             "animal, bars their s.e.m.",
             result.text("method"), pooled ? "the units of all other animals together" : "each other animal in turn",
             plural(result.number("splits"), "split"), plural(result.number("bootstraps"), "bootstrap"))) +
         pictures + "</div>\n" + table.html();
}

}  // namespace chiasm
