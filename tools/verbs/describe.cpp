// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "engine/config/composition.h"
#include "models/network.h"
#include "tools/recipe/recipe.h"
#include "tools/terminal/command_line.h"
#include "tools/train/train_run.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  std::string recipe;
  std::vector<std::string> overrides;
  bool json = false;
  bool expanded = false;
};

void print_table(const Recipe& recipe, const NetworkSummary& summary) {
  const Presentation& p = recipe.network.presentation;
  fmt::print("{}: {} parameters, {} units, {} steps of {:g} ms\n", recipe.name, summary.parameters, summary.units,
             p.steps, recipe.network.step_ms);
  fmt::print("{:<16} {:>12} {:>12}  {:<18} {}\n", "layer", "parameters", "units", "output", "image arrives at");
  for (const LayerSummary& layer : summary.layers) {
    fmt::print("{:<16} {:>12} {:>12}  {:<18} t = {}\n", layer.name, layer.parameters, layer.units,
               to_string(layer.output), layer.arrival_step);
  }
  for (const Connection& c : recipe.network.graph.connections) {
    const Layer& target = recipe.network.graph.layers[recipe.network.graph.index_of(c.target)];
    if (c.source != target.input) {
      fmt::print("connection {} -> {}, delay {} {}\n", c.source, c.target, c.delay_steps,
                 c.delay_steps == 1 ? "step" : "steps");
    }
  }
}

int describe(const Options& o) {
  Recipe recipe =
      std::filesystem::is_directory(o.recipe) ? recipe_of_run(o.recipe) : load_recipe(o.recipe, o.overrides);
  if (o.expanded) {
    std::cout << dump_composed(recipe.source) << '\n';
    return 0;
  }
  const NetworkSummary summary = summarise(recipe.network);
  if (!o.json) {
    print_table(recipe, summary);
    return 0;
  }
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerSummary& layer : summary.layers) {
    layers.push_back({{"name", layer.name},
                      {"parameters", layer.parameters},
                      {"units", layer.units},
                      {"output_shape", std::vector<std::int64_t>(layer.output.begin(), layer.output.end())},
                      {"arrival_step", layer.arrival_step}});
  }
  nlohmann::ordered_json connections = nlohmann::ordered_json::array();
  for (const Connection& c : recipe.network.graph.connections) {
    connections.push_back({{"source", c.source}, {"target", c.target}, {"delay_steps", c.delay_steps}});
  }
  std::cout << nlohmann::ordered_json{{"name", recipe.name},    {"parameters", summary.parameters},
                                      {"units", summary.units}, {"steps", recipe.network.presentation.steps},
                                      {"layers", layers},       {"connections", connections}}
                   .dump(2)
            << '\n';
  return 0;
}

}  // namespace

void add_describe(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("describe", "Show the size and shape of a network, without allocating it");
  verb.option("recipe", o->recipe, "Recipe: its name, or a JSON file; or the folder of a run").required();
  verb.option("--set", o->overrides, "Override a recipe key: --set model.steps=26").repeatable();
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--expanded", o->expanded,
            "Print the recipe itself as plain JSON: what it extends, defines and overrides put in its place");
  verb.footer("Examples:\n  chiasm describe fashion_rgc\n  chiasm describe runs/fashion --json");
  verb.action([o] { return describe(*o); });
}

}  // namespace chiasm
