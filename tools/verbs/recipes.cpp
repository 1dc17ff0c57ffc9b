// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "models/network.h"
#include "tools/recipe/library.h"
#include "tools/recipe/recipe.h"
#include "tools/terminal/command_line.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  bool json = false;
  bool names = false;
};

// One bad recipe does not hide the others: what is wrong with it takes the place of what it is.
Json summary_of(const NamedRecipe& named) {
  Json row{{"name", named.name}, {"path", named.path}};
  try {
    const Recipe recipe = load_recipe(named.path, {});
    const NetworkSummary summary = summarise(recipe.network);
    row["parameters"] = summary.parameters;
    row["units"] = summary.units;
    row["steps"] = recipe.network.presentation.steps;
    row["description"] = recipe.description;
  } catch (const std::exception& error) {
    row["error"] = error.what();
  }
  return row;
}

int recipes(const Options& o) {
  Json rows = Json::array();
  std::size_t width = 4;
  for (const NamedRecipe& named : named_recipes()) {
    if (o.names) {
      fmt::print("{}\n", named.name);
      continue;
    }
    rows.push_back(summary_of(named));
    width = std::max(width, named.name.size());
  }
  if (o.names) return 0;
  if (o.json) {
    std::cout << rows.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    return 0;
  }
  fmt::print("{:<{}} {:>11} {:>11} {:>5}  {}\n", "name", width, "parameters", "units", "steps", "description");
  for (const Json& row : rows) {
    const auto text = [&](const char* key) { return row.at(key).get<std::string>(); };
    const auto number = [&](const char* key) { return row.at(key).get<std::int64_t>(); };
    if (row.contains("error")) {
      fmt::print("{:<{}} cannot be read: {}\n", text("name"), width, text("error"));
    } else {
      fmt::print("{:<{}} {:>11} {:>11} {:>5}  {}\n", text("name"), width, number("parameters"), number("units"),
                 number("steps"), text("description"));
    }
  }
  return 0;
}

}  // namespace

void add_recipes(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("recipes", "List the recipes that can be given by name, with their sizes");
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--names", o->names, "Print the names alone, one on a line");
  verb.footer(
      "Recipes are looked for in the folders of $CHIASM_RECIPES (with \":\" between them), then among those that came "
      "with chiasm.\nExamples:\n  chiasm recipes\n  CHIASM_RECIPES=~/recipes chiasm recipes --json");
  verb.action([o] { return recipes(*o); });
}

}  // namespace chiasm
