// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tools/terminal/command_line.h"
#include "tools/train/open_network.h"
#include "tools/training/evaluator.h"
#include "tools/verbs/presentation_options.h"
#include "tools/verbs/program_options.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  std::string run;
  std::string snapshot;
  std::string weights;
  std::vector<std::string> overrides;
  std::string split = "test";
  std::int64_t limit = 0;
  PresentationOptions presentation;
  DeviceOptions device;
  bool json = false;
};

// A line for each timestep; of the first metric the number says enough.
void print_course(const Evaluation& e) {
  std::size_t steps = 0;
  for (const Score& score : e.scores) steps = std::max(steps, score.by_step.size());
  for (std::size_t t = 0; t < steps; ++t) {
    std::string line = fmt::format("  t = {:2}", t);
    for (const Score& score : e.scores) {
      if (t >= score.by_step.size() || (!score.value && score.by_step[t] == 0.0)) continue;
      const std::string number = score.metric.show(score.by_step[t]);
      if (&score == &e.scores.front()) {
        line += fmt::format("  {:>8}", number);
      } else if (score.value) {
        line += fmt::format("  {} {}", score.metric.words, number);
      } else {
        line += fmt::format("  {:>8} {}", number, score.metric.words);
      }
    }
    fmt::print("{}\n", line);
  }
}

int evaluate(Options& o) {
  o.device.check();
  std::vector<std::string> overrides = o.overrides;
  for (std::string& assignment : o.presentation.overrides()) overrides.push_back(std::move(assignment));
  OpenNetwork network = open_network({o.run, o.snapshot, o.weights, overrides});
  const Recipe& recipe = network.recipe;
  DatasetConfig data = o.split == "train" ? recipe.data.train : recipe.data.test;
  if (o.limit > 0) data.limit = o.limit;
  Evaluator evaluator(recipe, network.parameters, open_source(data), o.device.program);
  const Evaluation e = evaluator.run();
  if (o.json) {
    nlohmann::json json{{"task", recipe.task->kind()},
                        {"samples", e.samples},
                        {"step", network.step},
                        {network.step < 0 ? "weights" : "snapshot", network.file},
                        {"decoder", recipe.network.decoder.name()}};
    for (const Score& score : e.scores) {
      if (score.value) json[score.metric.name] = *score.value;
      if (!score.by_step.empty()) json[score.metric.name + "_by_step"] = score.by_step;
    }
    std::cout << json.dump(2) << '\n';
    return 0;
  }
  std::string scores;
  for (const Score& score : e.scores) {
    if (!score.value) continue;
    scores += (scores.empty() ? "" : ", ") + score.metric.words + " " + score.metric.show(*score.value);
  }
  fmt::print("{}: {} on {} {} ({} split, {}, decoder {})\n", recipe.name, scores, e.samples, recipe.task->samples(),
             o.split, network.step < 0 ? network.file : fmt::format("step {}", network.step),
             recipe.network.decoder.name());
  print_course(e);
  return 0;
}

}  // namespace

void add_evaluate(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("evaluate", "Score a trained network, at every timestep of its readout");
  verb.option("run", o->run, "Folder of a run; or a recipe: its name, or a JSON file").required();
  verb.option("--snapshot", o->snapshot, "Snapshot of the run to use; default: the newest");
  verb.option("--weights", o->weights, "Weights of the network, or a snapshot of another run of it");
  verb.option("--set", o->overrides, "Override a recipe key: --set data.path=imagenet").repeatable();
  verb.option("--split", o->split, "train or test").one_of({"train", "test"}).show_default();
  verb.option("--limit", o->limit, "Use this many images").not_negative();
  o->presentation.add_to(verb);
  o->device.add_to(verb);
  verb.flag("--json", o->json, "Print JSON");
  verb.footer(
      "Examples:\n  chiasm evaluate runs/fashion\n  chiasm evaluate runs/fashion --split train --limit 1000 --json\n"
      "  chiasm evaluate runs/fashion --steps 12 --image-off 6 --decoder max_confidence\n"
      "  chiasm evaluate models/recipes/squeezenet_1_0.json --weights squeezenet.safetensors");
  verb.action([o] { return evaluate(*o); });
}

}  // namespace chiasm
