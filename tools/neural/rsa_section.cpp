// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "tools/neural/report_parts.h"
#include "tools/neural/report_sections.h"
#include "tools/report/html.h"
#include "tools/report/layer_chart.h"
#include "tools/report/matrix_image.h"
#include "tools/report/scatter_chart.h"

namespace chiasm {
namespace {

using namespace report;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostItems = 1 << 20;  // of a matrix: its pairs are counted without overflow

// What one reference (an area, an animal, a file) is compared by.
struct Corrected {
  double mean = kNone, sd = kNone, undefined = 0;
  bool present = false;
};

Corrected corrected_at(const ResultNode& layer, const char* form) {
  const auto found = layer.find(form);
  if (!found) return {};
  return {found->number("mean"), found->number("sd"), found->number("undefined"), true};
}

LayerChart chart_of(const ResultNode& reference, const std::string& comparison) {
  const std::vector<ResultNode> layers = reference.list("layers");
  LayerChart chart{.title = "Similarity of dissimilarity matrices by layer",
                   .y_label = "similarity (" + comparison + ")",
                   .width = 860,
                   .height = 380};
  LayerSeries raw{.label = "not corrected", .style = "s3"}, published{.label = "published form", .style = "s1"},
      plain{.label = "plain form", .style = "s2", .hollow = true};
  bool corrected = false;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    chart.names.push_back(layers[l].text("layer"));
    raw.values.push_back({layers[l].number("similarity"), 0, l});
    const Corrected of_published = corrected_at(layers[l], "published"), of_plain = corrected_at(layers[l], "plain");
    published.values.push_back({of_published.mean, of_published.sd, l});
    plain.values.push_back({of_plain.mean, of_plain.sd, l});
    corrected = corrected || of_published.present;
  }
  chart.series = {raw};
  if (corrected) chart.series = {published, plain, raw};
  if (const auto ceiling = reference.find("ceiling")) {
    const double low = ceiling->number("lower"), high = ceiling->number("upper");
    chart.bands.push_back({low, high, fmt::format("noise ceiling {:.3f} to {:.3f}", low, high)});
  }
  return chart;
}

std::string table_of(const ResultNode& reference) {
  const std::string best = reference.text_or("best", "");
  Table table({"layer", "similarity", "published", "plain", "undefined bootstraps", "missing pairs"});
  for (const ResultNode& layer : reference.list("layers")) {
    const Corrected published = corrected_at(layer, "published"), plain = corrected_at(layer, "plain");
    table.row({layer.text("layer"), number(layer.number("similarity")),
               published.present ? with_error(published.mean, published.sd) : "",
               plain.present ? with_error(plain.mean, plain.sd) : "",
               published.present ? count(published.undefined) : "", count(layer.number_or("missing_pairs", 0))},
              layer.text("layer") == best);
  }
  return table.html();
}

std::string regression_words(const ResultNode& reference) {
  const auto regression = reference.find("regression");
  if (!regression) return "";
  std::string weights;
  for (const ResultNode& row : regression->list("weights")) {
    const double weight = row.number("weight");
    if (weight > 0) weights += fmt::format("{}{} {:.3f}", weights.empty() ? "" : ", ", row.text("layer"), weight);
  }
  return paragraph(fmt::format(
      "All layers together, with weights that are not negative: R\xC2\xB2 {} on held-out images ({} folds, {}). "
      "Weights that are not 0: {}.",
      number(regression->number("r2"), 4), count(regression->number("folds")),
      plural(regression->number("splits"), "split"), weights.empty() ? "none" : weights));
}

std::string reference_html(const ResultNode& reference, const std::string& comparison) {
  std::string out = heading(reference.text("reference"));
  const double undefined = static_cast<double>(reference.list_or_none("undefined_stimuli").size());
  std::string words = count(reference.number("stimuli")) + " stimuli";
  if (undefined > 0) words += fmt::format(", {} of them not defined", count(undefined));
  for (const ResultNode& other : reference.list_or_none("against")) {
    words += fmt::format("; similarity to {}: {}", other.text("reference"), number(other.number("similarity")));
  }
  out += paragraph(words + ".");
  if (reference.list("layers").empty()) return out;
  return out + "<div class=\"wide\">\n" + svg_of(chart_of(reference, comparison)) + "</div>\n" + table_of(reference) +
         regression_words(reference);
}

std::string matrices_html(const ResultNode& result) {
  std::string out;
  bool holes = false;
  for (const ResultNode& rdm : result.list_or_none("rdms")) {
    const std::string name = rdm.text("name");
    const double items = rdm.number("items");
    if (!(items >= 1 && items <= kMostItems && items == std::floor(items)))
      rdm.at("items").fail("a whole number of items");
    const std::vector<double> triangle = rdm.numbers("triangle");
    if (static_cast<double>(triangle.size()) != items * (items - 1) / 2) {
      rdm.at("triangle").fail(fmt::format("the {} pairs of {} items", count(items * (items - 1) / 2), count(items)));
    }
    for (const double value : triangle) holes = holes || std::isnan(value);
    out += "<figure>" +
           image_html(matrix_png(static_cast<std::int64_t>(items), triangle), "dissimilarity matrix of " + name) +
           "<figcaption>" + html::escape(name) + "</figcaption></figure>\n";
  }
  if (out.empty()) return "";
  return heading("Dissimilarity matrices") +
         paragraph(
             fmt::format("Every pair of stimuli, coloured by the rank of its dissimilarity within its matrix, from "
                         "most alike (dark) to most different (light){}. Matrices of more than {} stimuli are "
                         "averaged.",
                         holes ? "; red is not defined" : "", kMostMatrixPixels)) +
         "<div class=\"matrices\">\n" + out + "<figure>" + image_html(ramp_png(), "colour scale", "ramp") +
         "<figcaption>alike to different</figcaption></figure>\n</div>\n";
}

std::string scaling_html(const ResultNode& result) {
  std::string out;
  for (const ResultNode& mds : result.list_or_none("mds")) {
    const std::vector<double> x = mds.numbers("x"), y = mds.numbers("y");
    if (x.size() != y.size()) mds.at("y").fail(fmt::format("{} numbers, as x has", x.size()));
    const std::string name = mds.text("name");
    ScatterChart chart{.title = "Stimuli in two dimensions, by " + name,
                       .x_label = "dimension 1",
                       .y_label = name + ": dimension 2",
                       .same_axes = true,
                       .width = 420,
                       .height = 426};  // a square plot
    chart.groups.push_back({.cloud = true});
    for (std::size_t i = 0; i < x.size(); ++i) chart.groups[0].points.push_back({.x = x[i], .y = y[i]});
    out += "<div class=\"example\">" + svg_of(chart) + "</div>\n";
  }
  if (out.empty()) return "";
  return heading("Classical scaling") +
         paragraph("The two dimensions that keep most of the dissimilarities; stimuli near each other are alike.") +
         "<div class=\"examples\">\n" + out + "</div>\n";
}

}  // namespace

std::string rsa_section(const ResultNode& result, const AnalysisResults&) {
  const std::string comparison = result.text("comparison");
  std::string out =
      "<h2>Similarity of representations</h2>\n" +
      paragraph(fmt::format(
          "Dissimilarities ({}) of all pairs of stimuli in the features of {} and in the responses, compared by {}. "
          "Bars of corrected scores are standard deviations over {}; published and plain are with and without the "
          "Spearman-Brown step. A noise ceiling is the range that the true representation would reach, from subject "
          "to subject. The best layer is bold.",
          result.text("metric"), result.text_or("features", ""), comparison,
          plural(result.number_or("bootstraps", 0), "bootstrap")));
  for (const ResultNode& reference : result.list("references")) out += reference_html(reference, comparison);
  return out + matrices_html(result) + scaling_html(result);
}

}  // namespace chiasm
