// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "tools/terminal/command_line.h"
#include "tools/train/evaluator.h"
#include "tools/train/open_network.h"
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

int evaluate(Options& o) {
  o.device.check();
  std::vector<std::string> overrides = o.overrides;
  for (std::string& assignment : o.presentation.overrides()) overrides.push_back(std::move(assignment));
  OpenNetwork network = open_network({o.run, o.snapshot, o.weights, overrides});
  const Recipe& recipe = network.recipe;
  DatasetConfig data = o.split == "train" ? recipe.data.train : recipe.data.test;
  if (o.limit > 0) data.limit = o.limit;
  Evaluator evaluator(recipe, network.parameters, open_dataset(data), o.device.program);
  const Evaluation e = evaluator.run();
  if (o.json) {
    std::cout << nlohmann::json{{"top1", e.top1},
                                {"loss", e.loss},
                                {"samples", e.samples},
                                {"step", network.step},
                                {network.step < 0 ? "weights" : "snapshot", network.file},
                                {"decoder", recipe.network.decoder.name()},
                                {"decided_by_step", e.decided_by_step},
                                {"top1_by_step", e.top1_by_step},
                                {"loss_by_step", e.loss_by_step}}
                     .dump(2)
              << '\n';
    return 0;
  }
  fmt::print("{}: accuracy {:.2f} %, loss {:.4f} on {} images ({} split, {}, decoder {})\n", recipe.name,
             100.0 * e.top1, e.loss, e.samples, o.split,
             network.step < 0 ? network.file : fmt::format("step {}", network.step), recipe.network.decoder.name());
  for (std::size_t t = 0; t < e.top1_by_step.size(); ++t) {
    fmt::print("  t = {:2}  {:6.2f} %  loss {:.4f}", t, 100.0 * e.top1_by_step[t], e.loss_by_step[t]);
    if (e.decided_by_step[t] > 0.0) fmt::print("  {:6.2f} % decide here", 100.0 * e.decided_by_step[t]);
    fmt::print("\n");
  }
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
