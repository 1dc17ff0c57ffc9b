// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "kernels/stream.h"
#include "tools/compare/compare_page.h"
#include "tools/compare/compare_runs.h"
#include "tools/rules/rule_list.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/progress.h"
#include "tools/verbs/program_options.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  CompareRequest request;
  DeviceOptions device;
  bool only_report = false;
  bool dry_run = false;
  bool json = false;
};

void check(Options& o) {
  const CompareRequest& r = o.request;
  o.device.check();
  if (r.out.empty() && !o.dry_run)
    throw InputError("--out is missing: the folder for the comparison (or use --dry-run)");
  if (o.only_report) {
    if (!r.recipes.empty()) throw InputError("--only-report takes the runs that are in --out, and no recipes");
    return;
  }
  if (r.recipes.empty()) throw InputError("nothing to compare: give one recipe or more");
  try {
    check_rule_names(r.rules);
  } catch (const InputError& error) {
    throw InputError(std::string("--rules: ") + error.what());
  }
  if (r.budget.epochs && !std::isfinite(*r.budget.epochs)) throw InputError("--epochs: allowed: a positive number");
  if (r.budget.epochs && r.budget.max_steps) throw InputError("give --epochs or --max-steps, not both");
  std::vector<std::uint64_t> seeds = r.seeds;
  std::sort(seeds.begin(), seeds.end());
  if (const auto twice = std::adjacent_find(seeds.begin(), seeds.end()); twice != seeds.end()) {
    throw InputError(fmt::format("--seeds: {} is given twice", *twice));
  }
}

int print(const Comparison& comparison, bool json) {
  std::cout << (json ? json_of(comparison) : table_of(comparison));
  return 0;
}

// Sizes, and what the training would take on this machine.
int dry_run(std::vector<PlannedRun> runs, const Options& o) {
  constexpr int kTimed = 3;
  check_runs(runs, o.device.program, kTimed);
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  double total = 0.0;
  if (!o.json)
    fmt::print("{:<40} {:>5} {:>10} {:>8} {:>8} {:>8} {:>10} {:>9}\n", "run", "steps", "parameters", "units",
               "training", "ms/step", "GFLOP/step", "minutes");
  for (const PlannedRun& planned : runs) {
    const ComparedRun& run = planned.run;
    const double seconds = run.training_seconds();
    const double step = run.result.timed_seconds / kTimed;
    const double gflop = static_cast<double>(run.result.flops_per_step) / 1e9;
    total += seconds;
    if (o.json) {
      json.push_back({{"folder", run.folder},
                      {"recipe", run.recipe},
                      {"minimal", run.minimal},
                      {"rule", run.rule},
                      {"seed", run.seed},
                      {"steps", run.steps},
                      {"parameters", run.parameters},
                      {"units", run.units},
                      {"training_steps", run.result.training_steps},
                      {"seconds_per_step", step},
                      {"gflop_per_training_step", gflop},
                      {"seconds", seconds}});
    } else {
      fmt::print("{:<40} {:>5} {:>10} {:>8} {:>8} {:>8.1f} {:>10.2f} {:>9.1f}\n", run.folder, run.steps, run.parameters,
                 run.units, run.result.training_steps, 1e3 * step, gflop, seconds / 60.0);
    }
  }
  if (o.json) {
    std::cout << nlohmann::ordered_json{{"runs", json}, {"seconds", total}}.dump(2) << '\n';
  } else {
    fmt::print("about {} in all, without evaluations\n", duration_words(total));
  }
  return 0;
}

int compare(Options& o) {
  check(o);
  CompareRequest& request = o.request;
  request.program = o.device.program;
  if (o.only_report) {
    const Comparison comparison = read_comparison(request.out);
    write_comparison(request.out, comparison);
    return print(comparison, o.json);
  }
  std::vector<PlannedRun> runs = plan_runs(request);
  if (o.dry_run) return dry_run(std::move(runs), o);
  check_runs(runs, request.program);
  Comparison comparison{
      .budget = request.budget, .machine = this_machine(CpuStream(request.program.threads).threads()), .runs = {}};
  const CompareEnd end = run_comparison(request, std::move(runs), comparison);
  print(comparison, o.json);
  if (end == CompareEnd::kInterrupted) {
    std::cerr << "interrupted; go on with the same command and --resume\n";
    return kInterrupted;
  }
  if (!request.quiet) std::cerr << "done: " << request.out << "/comparison.html\n";
  return end == CompareEnd::kFailed ? kFailed : 0;
}

}  // namespace

void add_compare(CommandLine& command) {
  auto o = std::make_shared<Options>();
  CompareRequest& r = o->request;
  Verb verb = command.verb("compare", "Train several recipes, or one under several learning rules, and compare them");
  verb.option("recipes", r.recipes, "Recipes: their names, or JSON files");
  verb.option("--out", r.out, "Folder of the comparison: a run folder for each run, the table and the figure");
  constexpr std::int64_t kLeast = 1, kMost = std::int64_t{1} << 40;
  verb.option("--epochs", r.budget.epochs, "Epochs of every run (1.5 is possible)").range(1e-9, 1e9, "POSITIVE");
  verb.option("--max-steps", r.budget.max_steps, "Training steps of every run, instead of epochs")
      .range(kLeast, kMost, "POSITIVE");
  verb.option("--train-images", r.budget.train_images, "Use so many training images, evenly spaced")
      .range(kLeast, kMost, "POSITIVE");
  verb.option("--test-images", r.budget.test_images, "Use so many test images, evenly spaced")
      .range(kLeast, kMost, "POSITIVE");
  verb.option("--set", r.budget.overrides, "Override a key of every recipe: --set train.batch=32").repeatable();
  verb.option("--seeds", r.seeds, "Train each recipe once with each of these seeds: 0,1,2").joined_by(',');
  verb.option("--rules", r.rules, "Train each recipe once under each of these learning rules or presets: bp,fa,sa")

      .joined_by(',');
  verb.flag("--minimal", r.minimal, "Also train each recipe's minimally unrolled control");
  verb.flag("--resume", r.resume, "Go on with the comparison in the folder: runs that are done are kept");
  verb.flag("--only-report", o->only_report, "Make the table and the figure again from the run folders");
  verb.flag("--dry-run", o->dry_run, "Say what would happen: sizes, time");
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--quiet", r.quiet, "No progress");
  o->device.add_to(verb);
  verb.footer(
      "Examples:\n"
      "  chiasm compare models/recipes/fashion_shallow_*.json --minimal --epochs 1 --out runs/circuits\n"
      "  chiasm compare fashion_shallow_gru mine.json --seeds 0,1,2 --max-steps 2000 --out runs/ab --resume\n"
      "  chiasm compare fashion_rgc --rules backprop,fa,sa,wm_tpe --seeds 0,1,2 --out runs/rules\n"
      "  chiasm compare --only-report --out runs/ab --json");
  verb.action([o] { return compare(*o); });
}

}  // namespace chiasm
