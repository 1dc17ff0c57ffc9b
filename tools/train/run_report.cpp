// SPDX-License-Identifier: Apache-2.0
#include "tools/train/run_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/report/report.h"
#include "tools/run_folder/alignment_log.h"
#include "tools/run_folder/environment.h"
#include "tools/run_folder/metrics_log.h"

namespace chiasm {
namespace {

constexpr std::int64_t kExamples = 12;

ReportCurve curve_of(const std::vector<MetricsLine>& lines, const std::string& key, const char* label) {
  ReportCurve curve{.label = label};
  for (const MetricsLine& line : lines) {
    for (const auto& [name, value] : line.numbers) {
      if (name == key) curve.points.emplace_back(static_cast<double>(line.step), value);
    }
  }
  return curve;
}

void add_metrics(ReportData& report, const std::vector<MetricsLine>& lines, const Evaluation& e) {
  for (const Score& score : e.scores) {
    const Metric& metric = score.metric;
    std::vector<ReportCurve> curves;
    if (score.value) {
      curves = {curve_of(lines, metric.name, "training (batch)"), curve_of(lines, "test_" + metric.name, "test")};
      if (curves[0].points.empty()) curves.erase(curves.begin());
    }
    if (metric.name == "loss") {
      report.loss = std::move(curves);
      report.loss_unit = metric.unit;
    } else if (metric.name == "top1") {
      report.accuracy = std::move(curves);
      report.accuracy_per_timestep = score.by_step;
    } else if (score.value) {
      report.metrics.push_back({metric.words, metric.unit, std::move(curves), score.by_step});
    }
  }
}

// A chart for each metric that was measured, each with the same layers.
void add_alignment(ReportData& report, const std::vector<MetricsLine>& lines) {
  std::vector<std::string> paths;
  std::vector<std::pair<double, std::vector<LayerAlignment>>> measured;  // by step
  for (const MetricsLine& line : lines) {
    std::vector<LayerAlignment> layers = alignment_of(line);
    if (layers.empty()) continue;
    for (const LayerAlignment& layer : layers) {
      if (std::ranges::find(paths, layer.path) == paths.end()) paths.push_back(layer.path);
    }
    measured.emplace_back(static_cast<double>(line.step), std::move(layers));
  }
  if (measured.empty()) return;
  for (const AlignmentMetric& metric : alignment_metrics()) {
    const bool angle = metric.unit == "degrees";
    ReportLayerChart chart{.title = metric.name + " of each layer during training",
                           .y_label = metric.name + (metric.unit.empty() ? "" : " (" + metric.unit + ")"),
                           .logarithmic = metric.key.ends_with("_energy")};
    if (angle) chart.guide = {90.0, ""};
    if (metric.key == "norm_ratio") chart.guide = {1.0, ""};
    double highest = 0.0;
    for (const std::string& path : paths) {
      ReportCurve curve{.label = layer_name(path)};
      for (const auto& [step, layers] : measured) {
        const auto layer = std::ranges::find(layers, path, &LayerAlignment::path);
        if (layer == layers.end()) continue;
        curve.points.emplace_back(step, (*layer).*metric.value);
        highest = std::fmax(highest, curve.points.back().second);  // fmax passes over what is not a number
      }
      chart.layers.push_back(std::move(curve));
    }
    if (angle) chart.y_range = {0.0, highest > 100.0 ? 180.0 : 100.0};
    report.alignment.push_back(std::move(chart));
  }
}

std::string learning_words(const Learning& learning) {
  const auto plain = [](const LearningRule& rule) { return rule.name.substr(0, rule.name.find(' ')); };
  std::string words = learning.name;
  if (plain(learning.rule) != learning.name) words += fmt::format(" ({})", plain(learning.rule));
  for (const RulePlacement& placement : learning.placements) {
    words += fmt::format("; {} in {}", plain(placement.rule), fmt::join(placement.patterns, ", "));
  }
  if (learning.aligns() && learning.phases.alternate) words += ", alternating with the task";
  if (learning.aligns() && learning.phases.delay_epochs > 0.0) {
    words += fmt::format(", after {:g} epochs of its own", learning.phases.delay_epochs);
  }
  return words;
}

// Evenly spaced test images, with what the network said about them over time.
void add_examples(ReportData& report, const Recipe& recipe, Evaluator& evaluator) {
  Augmentation shown = recipe.data.test_augmentation;
  shown.normalisation = {};
  const Source& data = evaluator.data();
  const std::int64_t count = std::min({kExamples, data.size(), evaluator.batch()});
  std::vector<std::int32_t> indices;
  for (std::int64_t i = 0; i < count; ++i) indices.push_back(static_cast<std::int32_t>(i * data.size() / count));
  const Shape image = shown.output(data.fields().at("image").spec).shape;
  std::vector<float> values(static_cast<std::size_t>(image.elements()));
  Sample sample;
  for (const Prediction& p : predict(recipe, evaluator, indices)) {
    ReportExample example;
    data.read({.index = p.index}, sample);
    shown.apply(std::as_const(sample).image("image"), values, 0, 0, 0);
    example.height = static_cast<int>(image[0]);
    example.width = static_cast<int>(image[1]);
    example.channels = image[2] >= 3 ? 3 : 1;  // of other channel counts, the first
    for (std::int64_t pixel = 0; pixel < image[0] * image[1]; ++pixel) {
      for (int c = 0; c < example.channels; ++c) {
        const float value = values[static_cast<std::size_t>(pixel * image[2] + c)];
        example.pixels.push_back(static_cast<std::uint8_t>(std::lround(255.0f * std::clamp(value, 0.0f, 1.0f))));
      }
    }
    example.true_class = p.label;
    example.probabilities = p.probability;
    report.examples.push_back(std::move(example));
  }
}

void add_machine(ReportData& report) {
  const nlohmann::json machine = nlohmann::json::parse(machine_json(-1));
  for (const char* key : {"chiasm", "build", "processor", "instruction_set", "system"}) {
    report.machine.emplace_back(key, machine.at(key).get<std::string>());
  }
}

}  // namespace

void write_run_report(const Recipe& recipe, const std::string& folder, Evaluator& evaluator, const Evaluation& e) {
  const NetworkSummary size = summarise(recipe.network);
  const Presentation& p = recipe.network.presentation;
  ReportData report;
  report.title = recipe.name;
  report.subtitle = recipe.description;
  std::string note = fmt::format("{} {}", e.samples, recipe.task->samples());
  if (e.find("top1") != nullptr) note += ", last timestep";
  for (const Score& score : e.scores) {
    if (!score.value) continue;
    report.scores.push_back({"test " + score.metric.words, score.metric.show(*score.value), note});
    note = score.metric.unit;
  }
  report.scores.push_back({"parameters", fmt::format("{}", size.parameters), fmt::format("{} units", size.units)});
  report.recipe = {{"layers", std::to_string(recipe.network.graph.layers.size())},
                   {"timesteps", fmt::format("{} of {:g} ms", p.steps, recipe.network.step_ms)},
                   {"task", std::string(recipe.task->kind())},
                   {recipe.network.input_field(),
                    fmt::format("{} {}", to_string(recipe.network.graph.image),
                                recipe.network.frames ? "one for each timestep"
                                : p.off < 0           ? "shown throughout"
                                                      : fmt::format("shown for steps {} to {}", p.on, p.off - 1))},
                   {"learning rule", learning_words(recipe.train.learning)},
                   {"batch", std::to_string(recipe.train.batch)},
                   {"seed", std::to_string(recipe.train.seed)},
                   {"element type", std::string(name_of(recipe.train.dtype))}};
  for (const Connection& c : recipe.network.graph.connections) {
    const Layer& target =
        recipe.network.graph.layers[static_cast<std::size_t>(recipe.network.graph.index_of(c.target))];
    if (c.source == target.input) continue;
    report.recipe.emplace_back("connection", fmt::format("{} to {}, delay {}", c.source, c.target, c.delay_steps));
  }
  add_machine(report);
  const std::vector<MetricsLine> metrics = read_metrics(folder + "/metrics.jsonl");
  add_metrics(report, metrics, e);
  add_alignment(report, metrics);
  report.class_names = evaluator.data().class_names();
  report.chance = 1.0 / static_cast<double>(std::max<std::size_t>(report.class_names.size(), 1));
  report.dt_ms = recipe.network.step_ms;
  if (!recipe.network.frames) report.image_on = {{p.on, (p.off < 0 ? p.steps : p.off) - 1}};
  report.image_arrival = recipe.network.graph.readout_arrival() + p.on;
  if (recipe.task->kind() == "classification" && recipe.network.input_field() == "image") {
    add_examples(report, recipe, evaluator);
  }
  write_report(folder + "/report.html", report);
}

}  // namespace chiasm
