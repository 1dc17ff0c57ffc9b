// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "engine/compile.h"
#include "kernels/error.h"
#include "tools/recipe/presets.h"
#include "tools/training/session.h"

namespace chiasm {
namespace {

// `like` has what runs of several seeds have in common.
PlannedRun planned(const std::string& file, const std::vector<std::string>& overrides, const ComparedRun& like,
                   const std::string& folder) {
  PlannedRun result{like, load_recipe(file, overrides)};
  result.run.seed = result.recipe.train.seed;
  result.run.folder = folder;
  describe(result.run, result.recipe);
  return result;
}

// All runs of one recipe file under one rule.
void plan_recipe(const CompareRequest& request, const std::string& file, const std::string& rule,
                 std::vector<PlannedRun>& runs) {
  std::vector<std::string> common = request.budget.as_overrides();
  if (!rule.empty()) common.push_back(rule_override(load_recipe(file, {}).source, rule));
  const Recipe recipe = load_recipe(file, common);
  ComparedRun described;
  describe(described, recipe);
  const auto add = [&](const std::vector<std::string>& overrides, bool minimal) {
    const ComparedRun like{.recipe = recipe.name, .minimal = minimal, .rule = rule};
    const std::string folder = recipe.name + (rule.empty() ? "" : "_" + rule) + (minimal ? "_minimal" : "");
    if (request.seeds.empty()) runs.push_back(planned(file, overrides, like, folder));
    for (const std::uint64_t seed : request.seeds) {
      std::vector<std::string> with_seed = overrides;
      with_seed.push_back(fmt::format("train.seed={}", seed));
      runs.push_back(planned(file, with_seed, like, fmt::format("{}_seed{}", folder, seed)));
    }
  };
  add(common, false);
  const int minimal_steps = recipe.network.presentation.on + recipe.network.graph.minimal_steps();
  if (!request.minimal || described.steps <= minimal_steps) return;
  std::vector<std::string> overrides = common;
  overrides.push_back("model.unroll=minimal");
  overrides.push_back(fmt::format("name=\"{}_minimal\"", recipe.name));
  add(overrides, true);
}

}  // namespace

bool is_folder_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  constexpr std::size_t kLongest = 200;
  return !name.empty() && name.size() <= kLongest && name[0] != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

void describe(ComparedRun& run, const Recipe& recipe) {
  const NetworkSummary size = summarise(recipe.network);
  run.steps = recipe.network.presentation.steps;
  run.arrival = recipe.network.presentation.on + recipe.network.graph.readout_arrival();
  run.batch = recipe.train.batch;
  run.parameters = size.parameters;
  run.units = size.units;
}

std::vector<PlannedRun> plan_runs(const CompareRequest& request) {
  std::vector<PlannedRun> runs;
  const std::vector<std::string> rules = request.rules.empty() ? std::vector<std::string>{""} : request.rules;
  std::map<std::string, std::string> owners;  // of run folders: the file of the recipe
  for (const std::string& file : request.recipes) {
    const std::size_t first = runs.size();
    for (const std::string& rule : rules) plan_recipe(request, file, rule, runs);
    for (std::size_t i = first; i < runs.size(); ++i) {
      const std::string& folder = runs[i].run.folder;
      if (!is_folder_name(folder)) {
        throw InputError(fmt::format("{}: its name \"{}\" cannot be a folder; allowed: letters, digits, _, - and .",
                                     file, runs[i].run.recipe));
      }
      const auto [at, is_new] = owners.emplace(folder, file);
      if (is_new) continue;
      throw InputError(
          fmt::format("{} and {} would both be trained in the folder {}: give each recipe once, and each "
                      "a \"name\" of its own",
                      at->second, file, folder));
    }
  }
  return runs;
}

void check_runs(std::vector<PlannedRun>& runs, const ProgramOptions& options, int timed_steps) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    ComparedRun& run = runs[i].run;
    const ComparedRun* last = i > 0 ? &runs[i - 1].run : nullptr;
    if (last != nullptr && last->recipe == run.recipe && last->minimal == run.minimal && last->rule == run.rule) {
      run.result = runs[i - 1].run.result;  // another seed of the same network
      continue;
    }
    const std::shared_ptr<const Source> data = open_source(runs[i].recipe.data.train);
    TrainingSession session(runs[i].recipe, data, options);
    task_batches(runs[i].recipe, open_source(runs[i].recipe.data.test), runs[i].recipe.data.test_views);
    run.result.training_steps = session.total_steps();
    run.result.train_images = data->size();
    run.result.flops_per_step = total_flops(session.program().graph());
    if (timed_steps == 0) continue;
    session.step();  // first use of every kernel
    const auto begin = std::chrono::steady_clock::now();
    for (int k = 0; k < timed_steps; ++k) session.step();
    run.result.timed_steps = timed_steps;
    run.result.timed_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
}

}  // namespace chiasm
