// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/config/config.h"
#include "kernels/error.h"
#include "tools/compare/compare_plan.h"
#include "tools/compare/comparison.h"
#include "tools/run_folder/alignment_log.h"
#include "tools/run_folder/environment.h"
#include "tools/train/train_run.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMany = std::int64_t{1} << 53;

// Six significant digits: more are noise.
double rounded(double value) { return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr); }

Json rounded(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(rounded(value));
  return list;
}

// JSON has no word for a number that is not finite.
Json number_or_null(double value) { return std::isfinite(value) ? Json(rounded(value)) : Json(nullptr); }

Json alignment_json(const std::vector<LayerAlignment>& alignment) {
  Json layers = Json::array();
  for (const LayerAlignment& layer : alignment) {
    Json json{{"layer", layer.path}};
    for (const AlignmentMetric& metric : alignment_metrics()) json[metric.key] = number_or_null(layer.*metric.value);
    layers.push_back(json);
  }
  return layers;
}

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json budget_json(const Budget& b) {
  Json json = Json::object();
  if (b.epochs) json["epochs"] = *b.epochs;
  if (b.max_steps) json["max_steps"] = *b.max_steps;
  if (b.train_images) json["train_images"] = *b.train_images;
  if (b.test_images) json["test_images"] = *b.test_images;
  json["set"] = b.overrides;
  return json;
}

Json run_json(const ComparedRun& run) {
  const RunResult& r = run.result;
  Json json{{"recipe", run.recipe}, {"minimal", run.minimal}};
  if (!run.rule.empty()) json["rule"] = run.rule;
  json.update({{"seed", run.seed},
               {"folder", run.folder},
               {"status", word_of(r.status)},
               {"steps", run.steps},
               {"arrival_step", run.arrival},
               {"parameters", run.parameters},
               {"units", run.units},
               {"batch", run.batch},
               {"train_images", r.train_images},
               {"training_steps", r.training_steps},
               {"gflop_per_training_step", rounded(static_cast<double>(r.flops_per_step) / 1e9)}});
  if (r.timed_steps > 0) {
    json["training_seconds"] = rounded(run.training_seconds());
    json["images_per_second"] = rounded(run.images_per_second());
  }
  if (r.status == RunResult::Status::kDone) {
    json["test_images"] = r.test_images;
    json["top1"] = rounded(r.top1);
    json["loss"] = rounded(r.loss);
    json["top1_by_step"] = rounded(r.top1_by_step);
    json["loss_by_step"] = rounded(r.loss_by_step);
  }
  if (r.status == RunResult::Status::kFailed) json["reason"] = r.reason;
  return json;
}

Json entry_json(const Entry& e) {
  Json json{{"recipe", e.recipe}, {"minimal", e.minimal}};
  if (!e.rule.empty()) json["rule"] = e.rule;
  json.update({{"steps", e.steps},
               {"parameters", e.parameters},
               {"units", e.units},
               {"runs", e.planned},
               {"runs_done", e.done}});
  if (e.done > 0) {
    json["top1"] = rounded(e.top1);
    json["top1_range"] = {rounded(e.top1_min), rounded(e.top1_max)};
    json["loss"] = rounded(e.loss);
    json["training_seconds"] = rounded(e.training_seconds);
    json["images_per_second"] = rounded(e.images_per_second);
    json["gflop_per_training_step"] = rounded(e.gflop_per_step);
    json["front_of_parameters"] = e.front_of_parameters;
    json["front_of_units"] = e.front_of_units;
    if (!e.alignment.empty()) {
      json["weight_angle"] = number_or_null(mean_weight_angle(e.alignment));
      json["alignment"] = alignment_json(e.alignment);
    }
  }
  return json;
}

template <class Items, class ToJson>
std::string list_of(const Items& items, ToJson to_json) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "\n    " : ",\n    ") + line_of(to_json(item));
  return "[" + text + "\n  ]";
}

std::optional<std::int64_t> count_in(const ConfigNode& node, const char* key) {
  if (!node.has(key)) return std::nullopt;
  return node.integer(key, {1, kMany});
}

Budget read_budget(const ConfigNode& node) {
  Budget b;
  if (node.has("epochs")) b.epochs = node.real("epochs", RealRange::positive());
  b.max_steps = count_in(node, "max_steps");
  b.train_images = count_in(node, "train_images");
  b.test_images = count_in(node, "test_images");
  b.overrides = node.texts_or("set", {});
  return b;
}

ComparedRun read_run(const std::string& folder, const ConfigNode& node) {
  ComparedRun run;
  run.recipe = node.text("recipe");
  run.minimal = node.boolean("minimal");
  run.rule = node.text_or("rule", "");
  run.folder = node.text("folder");
  if (!is_folder_name(run.folder)) node.at("folder").fail("the name of a run folder beside comparison.json");
  const std::string path = folder + "/" + run.folder;
  run.seed = static_cast<std::uint64_t>(node.integer("seed", {0, std::numeric_limits<std::int64_t>::max()}));
  run.result = read_run_result(path);
  if (run.result.status == RunResult::Status::kDone) run.alignment = final_alignment(path);
  if (std::filesystem::exists(path + "/recipe.json")) {
    describe(run, recipe_of_run(path));
  } else {  // not started, or failed before it had a folder: what was planned is all there is
    run.steps = static_cast<int>(node.integer("steps", {1, 100000}));
    run.arrival = static_cast<int>(node.integer("arrival_step", {0, 100000}));
    run.parameters = node.integer("parameters", {0, kMany});
    run.units = node.integer("units", {0, kMany});
    run.batch = node.integer("batch", {1, kMany});
  }
  return run;
}

}  // namespace

Machine this_machine(int threads) {
  const Json json = Json::parse(machine_json(-1));
  const auto text = [&](const char* key) { return json.at(key).get<std::string>(); };
  return {text("chiasm"), text("build"), text("processor"), threads};
}

std::string json_of(const Comparison& c) {
  const Json machine{{"chiasm", c.machine.chiasm},
                     {"build", c.machine.build},
                     {"processor", c.machine.processor},
                     {"threads", c.machine.threads}};
  return fmt::format("{{\n  \"budget\": {},\n  \"machine\": {},\n  \"table\": {},\n  \"runs\": {}\n}}\n",
                     line_of(budget_json(c.budget)), line_of(machine), list_of(entries_of(c), entry_json),
                     list_of(c.runs, run_json));
}

Comparison read_comparison(const std::string& folder) {
  const std::string path = folder + "/comparison.json";
  if (!std::filesystem::exists(path)) throw InputError(folder + " holds no comparison: it has no comparison.json");
  const Config config = Config::load(path);
  const ConfigNode root = config.root();
  Comparison c;
  c.budget = read_budget(root.object("budget"));
  const ConfigNode machine = root.object("machine");
  c.machine = {machine.text("chiasm"), machine.text("build"), machine.text("processor"),
               machine.integer("threads", {0, 1 << 20})};
  for (const ConfigNode& node : root.objects("runs")) c.runs.push_back(read_run(folder, node));
  return c;
}

}  // namespace chiasm
