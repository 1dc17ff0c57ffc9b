// SPDX-License-Identifier: Apache-2.0
// Question: what does a learning rule cost beside backpropagation? Training steps of a recipe under several rules, in
// turn, in one process; each round runs every rule once, and what is reported is the median over rounds of each rule's
// time, and of its ratio to backpropagation in the same round.
//   learning_rules_bench [--recipe NAME] [--set key=value]... [--batch N] [--rounds N] [--threads N] [--rules A,B,...]
// A rule whose alignment replaces inputs by noise is also timed as it is used, in steps of its own: "alternating" is
// the mean of an alignment step and a task step. Everywhere else both losses are minimised in every step. A step is
// what `chiasm train` does between two batches: compute, check that results are finite, update.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench/training_step/measure.h"
#include "engine/finite.h"
#include "engine/program.h"
#include "learning_rules/learning_step.h"
#include "models/tasks/classification/graphs.h"
#include "tools/recipe/recipe.h"

namespace chiasm::bench {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string recipe = "resnet18_v1";
  std::vector<std::string> overrides = {"model.image=[64,64,3]"};
  std::string rules = "fa,dfa,usf,brsf,frsf,kp,sa,wm,aa,ia";
  std::int64_t batch = 128;
  int rounds = 5;
  ProgramOptions program{.threads = 2};
};

Options parse(const std::vector<std::string>& words) {
  Options o;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) throw InputError(words[i] + " needs a value");
    const std::string& key = words[i];
    const std::string& value = words[i + 1];
    if (key == "--recipe") {
      o.recipe = value;
    } else if (key == "--set") {
      o.overrides.push_back(value);
    } else if (key == "--batch") {
      o.batch = std::stoll(value);
    } else if (key == "--rounds") {
      o.rounds = std::stoi(value);
    } else if (key == "--threads") {
      o.program.threads = std::stoi(value);
    } else if (key == "--rules") {
      o.rules = value;
    } else {
      throw InputError("unknown option " + key);
    }
  }
  return o;
}

// One program under one rule, with parameters of its own.
class Run {
 public:
  Run(const Recipe& recipe, const Learning& learning, Phase phase, const Options& o)
      : seconds_(static_cast<std::size_t>(o.rounds)) {
    Network network = recipe.network;
    network.untied = [learning](std::string_view path) { return learning.untied(path); };
    const Graph loss = build_loss(network, parameters_, o.batch, {.seed = 1, .passes = o.program.passes});
    const Graph step = build_learning_step(loss, parameters_, learning,
                                           {.task_optimizer = recipe.train.optimizer, .phase = phase, .seed = 1});
    parameters_.initialise(1);
    program_ = std::make_unique<Program>(step, o.program);
    program_->bind_all(parameters_.tensors());
    for (const auto& [name, id] : program_->graph().inputs()) {
      const MutableView input = program_->input(name);
      visit_any(input.dtype(), [&]<class T>() {
        for (std::int64_t i = 0; i < input.elements(); ++i) {
          input.as<T>()[i] = static_cast<T>(name == "image"          ? (i * 7919 % 1000) / 500.0 - 1.0
                                            : name == "label"        ? i % 10
                                            : name.ends_with("rate") ? 1e-4
                                                                     : 1);
        }
      });
    }
    run();  // first use of every kernel
  }

  void run(std::size_t round) {
    seconds_[round] = seconds_of([&] { run(); });
  }
  double seconds(std::size_t round) const { return seconds_[round]; }
  Json about() const {
    return {{"gflop", work_of(program_->graph()).flops / 1e9}, {"arena_bytes", program_->arena_bytes()}};
  }

 private:
  void run() {
    program_->run_compute();
    if (!program_->updates_are_finite()) throw NumericalError("update", "it is not finite");
    program_->run_commit();
  }

  Parameters parameters_;
  std::unique_ptr<Program> program_;
  std::vector<double> seconds_;
};

// What is timed under one name: the mean of its runs.
struct Timed {
  std::string name;
  std::vector<std::unique_ptr<Run>> runs;

  double seconds(std::size_t round) const {
    double sum = 0.0;
    for (const auto& run : runs) sum += run->seconds(round);
    return sum / static_cast<double>(runs.size());
  }
};

Timed timed(const Recipe& recipe, const std::string& name, LearningRule rule, bool alternating, const Options& o) {
  Timed t{.name = name + (alternating ? ", alternating" : ""), .runs = {}};
  Learning learning;
  if (!alternating) rule.noise = {};
  learning.rule = rule;
  learning.phases.alternate = alternating;
  for (Phase phase : alternating ? std::vector{Phase::kAlignment, Phase::kTask} : std::vector{Phase::kBoth}) {
    t.runs.push_back(std::make_unique<Run>(recipe, learning, phase, o));
  }
  return t;
}

int main(const Options& o) {
  const Recipe recipe = load_recipe(o.recipe, o.overrides);
  std::vector<Timed> all;
  all.push_back(timed(recipe, "backprop", {}, false, o));
  std::istringstream names(o.rules);
  for (std::string name; std::getline(names, name, ',');) {
    const NamedRule& named = rule_of(name);
    all.push_back(timed(recipe, named.rule.name, named.rule, false, o));
    if (named.alternates) all.push_back(timed(recipe, named.rule.name, named.rule, true, o));
    std::cerr << "built " << named.rule.name << '\n';
  }
  for (std::size_t round = 0; round < static_cast<std::size_t>(o.rounds); ++round) {
    for (Timed& t : all) {
      for (auto& run : t.runs) run->run(round);
    }
  }
  Json rules = Json::array();
  for (const Timed& t : all) {
    std::vector<double> seconds, ratios;
    for (std::size_t round = 0; round < static_cast<std::size_t>(o.rounds); ++round) {
      seconds.push_back(t.seconds(round));
      ratios.push_back(t.seconds(round) / all[0].seconds(round));
    }
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    Json about = Json::array();
    for (const auto& run : t.runs) about.push_back(run->about());
    rules.push_back({{"rule", t.name},
                     {"seconds", median(seconds)},
                     {"ratio", median(ratios)},
                     {"ratio_min", *low},
                     {"ratio_max", *high},
                     {"programs", about}});
    std::fprintf(stderr, "%-36s %8.1f ms  %.3f (%.3f to %.3f)\n", t.name.c_str(), 1e3 * median(seconds), median(ratios),
                 *low, *high);
  }
  std::cout << Json{{"recipe", recipe.name}, {"image", to_string(recipe.network.graph.image)},
                    {"batch", o.batch},      {"threads", o.program.threads},
                    {"rounds", o.rounds},    {"rules", rules}}
                   .dump(2)
            << '\n';
  return 0;
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) {
  try {
    return chiasm::bench::main(chiasm::bench::parse({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "learning_rules_bench: %s\n", error.what());
    return 2;
  }
}
