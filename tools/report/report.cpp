// SPDX-License-Identifier: Apache-2.0
#include "tools/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "engine/io/atomic_file.h"
#include "kernels/error.h"
#include "tools/report/html.h"
#include "tools/report/line_chart.h"
#include "tools/report/png_bytes.h"
#include "tools/report/style.h"
#include "tools/run_folder/environment.h"

namespace chiasm {
namespace {

using html::escape;

std::string timestep_label(const ReportData& data) {
  return data.dt_ms > 0 ? fmt::format("timestep (1 step = {:g} ms)", data.dt_ms) : "timestep";
}

std::string class_name(const ReportData& data, std::size_t index) {
  return index < data.class_names.size() ? data.class_names[index] : fmt::format("class {}", index);
}

LineChart learning_chart(const ReportData& data, const std::vector<ReportCurve>& curves, double scale) {
  LineChart chart;
  chart.x_label = data.progress_label;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    ChartSeries series{.label = curves[i].label, .style = fmt::format("s{}", std::min<std::size_t>(i, 2) + 1)};
    for (const auto& [x, y] : curves[i].points) series.points.push_back({x, scale * y});
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::string labelled(const std::string& words, const std::string& unit) {
  return unit.empty() ? words : words + " (" + unit + ")";
}

double scale_of(const ReportMetric& metric) { return metric.unit == "%" ? 100.0 : 1.0; }

std::string sentence(std::string words) {
  if (!words.empty()) words[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(words[0])));
  return words;
}

std::string learning_section(const ReportData& data) {
  if (data.loss.empty() && data.accuracy.empty() && data.metrics.empty()) return "";
  std::string out = "<section>\n<h2>Learning curves</h2>\n<div class=\"charts\">\n";
  if (!data.loss.empty()) {
    LineChart chart = learning_chart(data, data.loss, 1);
    chart.title = "Loss during training";
    chart.y_label = labelled("loss", data.loss_unit);
    out += svg_of(chart);
  }
  if (!data.accuracy.empty()) {
    LineChart chart = learning_chart(data, data.accuracy, 100);
    chart.title = "Accuracy during training";
    chart.y_label = "accuracy (%)";
    out += svg_of(chart);
  }
  for (const ReportMetric& metric : data.metrics) {
    if (metric.curves.empty()) continue;
    LineChart chart = learning_chart(data, metric.curves, scale_of(metric));
    chart.title = sentence(metric.words) + " during training";
    chart.y_label = labelled(metric.words, metric.unit);
    out += svg_of(chart);
  }
  return out + "</div>\n</section>\n";
}

LineChart alignment_chart(const ReportData& data, const ReportLayerChart& given) {
  LineChart chart;
  chart.title = given.title;
  chart.x_label = data.progress_label;
  chart.y_label = given.y_label;
  chart.y_range = given.y_range;
  chart.logarithmic_y = given.logarithmic;
  chart.height = 320;
  if (given.guide) chart.horizontal.push_back({given.guide->first, given.guide->second});
  for (std::size_t i = 0; i < given.layers.size(); ++i) {
    ChartSeries series{.label = given.layers[i].label, .style = line_style(i)};
    for (const auto& [x, y] : given.layers[i].points) series.points.push_back({x, y});
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::string alignment_section(const ReportData& data) {
  if (data.alignment.empty()) return "";
  std::vector<LineChart> charts;
  for (const ReportLayerChart& given : data.alignment) charts.push_back(alignment_chart(data, given));
  std::string out =
      "<section>\n<h2>Alignment</h2>\n<p class=\"about\">How well the backward weight B of each layer, through which "
      "its errors travel, follows its forward weight W. Angles are zero where both do the same, and 90 degrees where "
      "they have nothing in common.</p>\n";
  // One list for all charts where the names do not fit beside the lines of each.
  if (!std::ranges::all_of(charts, labels_fit)) {
    for (LineChart& chart : charts) chart.end_labels = false;
    out += legend_html(charts.front().series);
  }
  out += "<div class=\"charts\">\n";
  for (const LineChart& chart : charts) out += svg_of(chart);
  return out + "</div>\n</section>\n";
}

// The time course shared by the chart of accuracies and the examples.
void add_time(LineChart& chart, const ReportData& data, std::size_t timesteps, bool labels) {
  const double last = data.first_timestep + static_cast<double>(timesteps) - 1;
  chart.whole_x = true;
  chart.x_range = {data.first_timestep, std::max(last, data.first_timestep + 1.0)};
  if (data.image_on) {
    chart.spans.push_back({static_cast<double>(data.image_on->first), static_cast<double>(data.image_on->second),
                           labels ? "image on" : ""});
  }
  if (data.image_arrival) {
    chart.vertical.push_back({static_cast<double>(*data.image_arrival), labels ? "image reaches the readout" : ""});
  }
}

std::string timestep_section(const ReportData& data) {
  if (data.accuracy_per_timestep.empty()) return "";
  LineChart chart;
  chart.title = "Test accuracy of the readout at every timestep";
  chart.x_label = timestep_label(data);
  chart.y_label = "test accuracy (%)";
  chart.width = 860;
  chart.height = 340;
  chart.y_range = {0, 100};
  add_time(chart, data, data.accuracy_per_timestep.size(), true);
  if (data.chance > 0)
    chart.horizontal.push_back({100 * data.chance, fmt::format("chance {:.3g} %", 100 * data.chance)});
  ChartSeries series{.label = fmt::format("{:.1f} %", 100 * data.accuracy_per_timestep.back())};
  for (std::size_t t = 0; t < data.accuracy_per_timestep.size(); ++t) {
    series.points.push_back({data.first_timestep + static_cast<double>(t), 100 * data.accuracy_per_timestep[t]});
  }
  chart.series.push_back(std::move(series));
  return "<section>\n<h2>Accuracy over time</h2>\n<p class=\"about\">The network answers at every timestep. Before the "
         "image "
         "has travelled through its layers, it can only guess.</p>\n<div class=\"wide\">\n" +
         svg_of(chart) + "</div>\n</section>\n";
}

std::string metric_timestep_section(const ReportData& data) {
  std::string charts;
  for (const ReportMetric& metric : data.metrics) {
    if (metric.by_timestep.size() < 2) continue;
    LineChart chart;
    chart.title = sentence(metric.words) + " on test data at every timestep";
    chart.x_label = timestep_label(data);
    chart.y_label = labelled(metric.words, metric.unit);
    chart.width = 860;
    chart.height = 340;
    add_time(chart, data, metric.by_timestep.size(), true);
    ChartSeries series;
    for (std::size_t t = 0; t < metric.by_timestep.size(); ++t) {
      series.points.push_back({data.first_timestep + static_cast<double>(t), scale_of(metric) * metric.by_timestep[t]});
    }
    chart.series.push_back(std::move(series));
    charts += svg_of(chart);
  }
  if (charts.empty()) return "";
  return "<section>\n<h2>Over time</h2>\n<div class=\"wide\">\n" + charts + "</div>\n</section>\n";
}

void check(const ReportExample& example) {
  const std::size_t classes = example.probabilities.empty() ? 0 : example.probabilities.front().size();
  for (const auto& row : example.probabilities) {
    if (row.size() != classes) throw InputError("report: an example's timesteps have different numbers of classes");
  }
  if (classes == 0) throw InputError("report: an example has no probabilities");
  if (example.true_class < 0 || static_cast<std::size_t>(example.true_class) >= classes) {
    throw InputError(
        fmt::format("report: an example's class {} is not one of {} classes", example.true_class, classes));
  }
}

std::size_t likeliest(const std::vector<double>& row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

// The class other than the true one that was ever the likeliest.
std::size_t rival_of(const ReportExample& example) {
  const auto truth = static_cast<std::size_t>(example.true_class);
  const auto& last = example.probabilities.back();
  if (likeliest(last) != truth) return likeliest(last);
  std::size_t rival = truth;
  double highest = -1;
  for (const auto& row : example.probabilities) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c != truth && row[c] > highest) highest = row[c], rival = c;
    }
  }
  return rival;
}

std::string verdict(const ReportData& data, const ReportExample& example) {
  const auto truth = static_cast<std::size_t>(example.true_class);
  const std::size_t answer = likeliest(example.probabilities.back());
  if (answer != truth) {
    return fmt::format("<p class=\"wrong\">\xE2\x9C\x97 taken for {}, {:.0f} %</p>\n", escape(class_name(data, answer)),
                       100 * example.probabilities.back()[answer]);
  }
  // An answer before the image has arrived is a guess, right or not.
  const auto earliest = static_cast<std::size_t>(
      std::clamp<std::int64_t>(data.image_arrival.value_or(data.first_timestep) - data.first_timestep, 0,
                               static_cast<std::int64_t>(example.probabilities.size()) - 1));
  std::size_t since = example.probabilities.size() - 1;
  while (since > earliest && likeliest(example.probabilities[since - 1]) == truth) --since;
  return fmt::format("<p>\xE2\x9C\x93 right from timestep {} on, {:.0f} % at the end</p>\n",
                     data.first_timestep + static_cast<int>(since), 100 * example.probabilities.back()[truth]);
}

std::string example_card(const ReportData& data, const ReportExample& example) {
  check(example);
  const auto truth = static_cast<std::size_t>(example.true_class);
  const std::size_t rival = rival_of(example);
  LineChart chart;
  chart.title = "Probability of each class over time; the true class is " + class_name(data, truth);
  chart.x_label = timestep_label(data);
  chart.y_label = "probability (%)";
  chart.width = 400;
  chart.height = 210;
  chart.y_range = {0, 100};
  add_time(chart, data, example.probabilities.size(), false);
  const auto add = [&](std::size_t c, const char* style, bool label) {
    ChartSeries series{.label = label ? class_name(data, c) : "", .style = style};
    for (std::size_t t = 0; t < example.probabilities.size(); ++t) {
      series.points.push_back({data.first_timestep + static_cast<double>(t), 100 * example.probabilities[t][c]});
    }
    chart.series.push_back(std::move(series));
  };
  for (std::size_t c = 0; c < example.probabilities.front().size(); ++c) {
    if (c != truth && c != rival) add(c, "muted", false);
  }
  if (rival != truth) add(rival, "s2", true);
  add(truth, "s1", true);
  const std::string name = escape(class_name(data, truth));
  const auto png = png_bytes(example.width, example.height, example.channels, example.pixels);
  return fmt::format(
      "<article class=\"example\">\n<header><img alt=\"test image: {}\" src=\"data:image/png;base64,{}\"/>"
      "<div><h3>{}</h3>\n{}</div></header>\n{}</article>\n",
      name, html::base64(png), name, verdict(data, example), svg_of(chart));
}

std::string example_section(const ReportData& data) {
  if (data.examples.empty()) return "";
  std::string out = fmt::format(
      "<section>\n<h2>Test images and their answers over time</h2>\n<p class=\"about\">Blue is the true class, dashed "
      "orange "
      "its strongest rival, grey the rest{}.</p>\n<div class=\"examples\">\n",
      data.image_arrival ? "; the dotted line marks the image reaching the readout" : "");
  for (const ReportExample& example : data.examples) out += example_card(data, example);
  return out + "</div>\n</section>\n";
}

std::string table_section(const char* heading, const std::vector<std::pair<std::string, std::string>>& rows) {
  if (rows.empty()) return "";
  std::string out = fmt::format("<section>\n<h2>{}</h2>\n<table>\n", heading);
  for (const auto& [name, value] : rows) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escape(name), escape(value));
  }
  return out + "</table>\n</section>\n";
}

std::string score_tiles(const ReportData& data) {
  if (data.scores.empty()) return "";
  std::string out = "<div class=\"scores\">\n";
  for (const ReportScore& score : data.scores) {
    out += fmt::format("<div class=\"score\"><span>{}</span><b>{}</b>", escape(score.name), escape(score.value));
    if (!score.note.empty()) out += fmt::format("<span>{}</span>", escape(score.note));
    out += "</div>\n";
  }
  return out + "</div>\n";
}

}  // namespace

std::string report_html(const ReportData& data) {
  std::string out = fmt::format("<h1>{}</h1>\n", escape(data.title));
  if (!data.subtitle.empty()) out += fmt::format("<p class=\"lead\">{}</p>\n", escape(data.subtitle));
  out += score_tiles(data);
  out += learning_section(data);
  out += alignment_section(data);
  out += timestep_section(data);
  out += metric_timestep_section(data);
  out += example_section(data);
  out += table_section("Recipe", data.recipe);
  out += table_section("Machine", data.machine);
  out += fmt::format("<footer>Made by chiasm {}.</footer>\n", escape(chiasm_version()));
  return html::page(data.title, kReportStyle, out);
}

void write_report(const std::string& path, const ReportData& data) { write_file(path, report_html(data)); }

}  // namespace chiasm
