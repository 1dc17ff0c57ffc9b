// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "engine/compile.h"
#include "engine/passes/pass.h"
#include "models/layer_steps.h"
#include "tools/recipe/recipe.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/progress.h"
#include "tools/training/device_options.h"
#include "tools/training/training_steps.h"
#include "tools/verbs/presentation_options.h"
#include "tools/verbs/program_options.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string recipe;
  std::vector<std::string> overrides;
  PresentationOptions presentation;
  std::string batch;
  bool json = false;
  DeviceOptions device;
};

// A training step compiled twice: as the plain unroll, in which nothing but memory that is no longer needed is saved,
// and with the passes asked for.
struct Comparison {
  CompiledGraph naive;
  CompiledGraph planned;
  double compile_seconds = 0.0;
};

Comparison compare(const Recipe& recipe, const ProgramOptions& options) {
  const auto build = [&](const std::string& passes) {
    Parameters parameters;
    return training_steps(recipe, parameters, recipe.train.batch, passes).at(training_phase(recipe));
  };
  const auto begin = std::chrono::steady_clock::now();
  CompiledGraph planned = compile(build(options.passes), options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  ProgramOptions plain = options;
  plain.passes = kPlanMemory;
  plain.memory_bytes = 0;
  return {compile(build("none"), plain), std::move(planned), seconds.count()};
}

// How a layer-step is written in JSON and in the picture.
struct Notation {
  const char* word;
  char sign;
};

Notation notation_of(LayerStep kind) {
  switch (kind) {
    case LayerStep::kFullBatch:
      return {"full_batch", '#'};
    case LayerStep::kBatchOne:
      return {"batch_one", '1'};
    case LayerStep::kReused:
      return {"reused", '='};
    case LayerStep::kDropped:
      return {"dropped", '.'};
  }
  throw InternalError("unknown kind of layer-step");
}

std::vector<std::string> names_of(const std::string& passes) {
  std::vector<std::string> names;
  for (const Pass& pass : select_passes(passes)) names.emplace_back(pass.name);
  for (std::string_view name : {kRematerialise, kPlanMemory}) {
    if (selects(passes, name)) names.emplace_back(name);
  }
  return names;
}

void print_json(const Recipe& recipe, const LayerSteps& layers, const Comparison& c, const ProgramOptions& options) {
  Json picture = Json::array();
  for (std::size_t i = 0; i < layers.layers.size(); ++i) {
    Json steps = Json::array();
    for (LayerStep kind : layers.at[i]) steps.push_back(notation_of(kind).word);
    picture.push_back({{"name", layers.layers[i]}, {"steps", steps}});
  }
  const Json answer{{"name", recipe.name},
                    {"batch", recipe.train.batch},
                    {"steps", recipe.network.presentation.steps},
                    {"decoder", recipe.network.decoder.name()},
                    {"layer_steps",
                     {{"naive", layers.naive()},
                      {"full_batch", layers.count(LayerStep::kFullBatch)},
                      {"batch_one", layers.count(LayerStep::kBatchOne)},
                      {"reused", layers.count(LayerStep::kReused)},
                      {"dropped", layers.count(LayerStep::kDropped)}}},
                    {"flops", {{"naive", total_flops(c.naive.graph)}, {"planned", total_flops(c.planned.graph)}}},
                    {"peak_bytes", {{"naive", c.naive.plan.arena_bytes}, {"planned", c.planned.plan.arena_bytes}}},
                    {"recomputed_flops", c.planned.recomputed_flops},
                    {"nodes", {{"naive", c.naive.graph.nodes().size()}, {"planned", c.planned.graph.nodes().size()}}},
                    {"passes", names_of(options.passes)},
                    {"compile_seconds", c.compile_seconds},
                    {"layers", picture}};
  std::cout << answer.dump(2) << '\n';
}

// Steps side by side, as many as fit the width; the rest below.
void print_picture(const LayerSteps& layers) {
  constexpr std::size_t kLeast = 20;
  std::size_t width = 5;
  for (const std::string& name : layers.layers) width = std::max(width, name.size());
  const std::size_t columns = static_cast<std::size_t>(terminal_columns(1)), total = layers.at[0].size();
  const std::size_t fit = std::max(kLeast, (columns > width + 2 ? columns - width - 2 : 0) / 10 * 10);
  for (std::size_t begin = 0; begin < total; begin += fit) {
    const std::size_t end = std::min(begin + fit, total);
    // A number stands over the first of its ten steps.
    std::string tens, ones;
    for (std::size_t t = begin; t < end; ++t) {
      if (t % 10 == 0) tens.resize(t - begin, ' '), tens += std::to_string(t / 10);
      ones += static_cast<char>('0' + t % 10);
    }
    fmt::print("{}{:<{}}  {}\n{:<{}}  {}\n", begin > 0 ? "\n" : "", "step", width, tens, "", width, ones);
    for (std::size_t i = 0; i < layers.layers.size(); ++i) {
      fmt::print("{:<{}}  ", layers.layers[i], width);
      for (std::size_t t = begin; t < end; ++t) fmt::print("{}", notation_of(layers.at[i][t]).sign);
      fmt::print("\n");
    }
  }
  fmt::print("\n# computed for every sample   1 the same for all samples, computed for one\n");
  fmt::print("= taken from another step     . nothing depends on it\n\n");
}

void print_row(const char* what, double naive, double planned, const char* unit) {
  fmt::print("{:<22} {:>12.2f} {:>12.2f} {:<6} {:>7.2f}x\n", what, naive, planned, unit,
             planned > 0.0 ? naive / planned : 0.0);
}

void print_text(const Recipe& recipe, const LayerSteps& layers, const Comparison& c, const ProgramOptions& options) {
  fmt::print("{}: a training step of {} images, {} steps, decoder \"{}\"\n\n", recipe.name, recipe.train.batch,
             recipe.network.presentation.steps, recipe.network.decoder.name());
  print_picture(layers);
  fmt::print("{:<22} {:>12} {:>12}\n", "", "plain unroll", "planned");
  print_row("layer-steps", static_cast<double>(layers.naive()),
            static_cast<double>(layers.count(LayerStep::kFullBatch)), "");
  fmt::print("{:<22} {:>12} {:>12}\n", "  computed for one", "", layers.count(LayerStep::kBatchOne));
  print_row("operations", static_cast<double>(total_flops(c.naive.graph)) / 1e9,
            static_cast<double>(total_flops(c.planned.graph)) / 1e9, "GFLOP");
  if (options.memory_bytes > 0) {
    fmt::print("{:<22} {:>12} {:>12.2f} GFLOP\n", "  to save memory", "",
               static_cast<double>(c.planned.recomputed_flops) / 1e9);
  }
  print_row("memory at its peak", static_cast<double>(c.naive.plan.arena_bytes) / 1048576.0,
            static_cast<double>(c.planned.plan.arena_bytes) / 1048576.0, "MiB");
  print_row("ops", static_cast<double>(c.naive.graph.nodes().size()),
            static_cast<double>(c.planned.graph.nodes().size()), "");
  if (options.memory_bytes > 0 && c.planned.plan.arena_bytes > options.memory_bytes) {
    fmt::print("this is the least that was found; the budget is {:.2f} MiB\n",
               static_cast<double>(options.memory_bytes) / 1048576.0);
  }
  fmt::print("planned in {:.2f} s\n", c.compile_seconds);
}

int plan(Options& o) {
  o.device.check();
  std::vector<std::string> overrides = o.overrides;
  for (const std::string& more : o.presentation.overrides()) overrides.push_back(more);
  if (!o.batch.empty()) overrides.push_back("train.batch=" + o.batch);
  const Recipe recipe = load_recipe(o.recipe, overrides);
  const LayerSteps layers = layer_steps(*recipe.task, recipe.network, recipe.train.batch, o.device.program.passes);
  const Comparison comparison = compare(recipe, device_options(recipe, o.device.program));
  if (o.json) {
    print_json(recipe, layers, comparison, o.device.program);
  } else {
    print_text(recipe, layers, comparison, o.device.program);
  }
  return 0;
}

}  // namespace

void add_plan(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("plan", "Show what a training step computes, reuses and leaves out");
  verb.option("recipe", o->recipe, "Recipe: its name, or a JSON file").required();
  o->presentation.add_to(verb);
  verb.option("--batch", o->batch, "Images of a training step, instead of train.batch");
  verb.option("--set", o->overrides, "Override a recipe key: --set model.image=[64,64,3]").repeatable();
  verb.flag("--json", o->json, "Print JSON");
  o->device.add_to(verb);
  verb.footer(
      "Examples:\n  chiasm plan rgc_median\n"
      "  chiasm plan rgc_median --steps 26 --image-off 10 --decoder all --json");
  verb.action([o] { return plan(*o); });
}

}  // namespace chiasm
