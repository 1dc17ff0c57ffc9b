// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "engine/weights.h"
#include "kernels/cuda/device.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/interrupt.h"
#include "tools/train/train_run.h"
#include "tools/training/session.h"
#include "tools/training/stand_in.h"
#include "tools/verbs/program_options.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  std::string recipe;
  std::vector<std::string> overrides;
  DeviceOptions device;
  TrainRequest request;
  std::string dtype;
  std::optional<std::uint64_t> seed;
  std::optional<std::int64_t> max_steps;
  std::optional<double> epochs;
  bool dry_run = false;
  bool json = false;
};

Recipe load(const Options& o) {
  std::vector<std::string> overrides = o.overrides;
  if (!o.dtype.empty()) overrides.push_back("train.dtype=" + o.dtype);
  if (o.seed) overrides.push_back("train.seed=" + std::to_string(*o.seed));
  if (o.epochs) overrides.push_back(fmt::format("train.epochs={}", *o.epochs));
  if (o.max_steps) overrides.push_back("train.max_steps=" + std::to_string(*o.max_steps));
  return load_recipe(o.recipe, overrides);
}

// What a step takes on the device that runs it, in bytes.
struct Forecast {
  std::int64_t arena = 0;   // activations, gradients and scratch memory
  std::int64_t states = 0;  // parameters, statistics and what the optimizer keeps
  std::int64_t inputs = 0;  // on a CUDA device, where the next batch waits
  std::int64_t device = 0;  // memory of that device; 0 on the CPU

  std::int64_t total() const { return arena + states + inputs; }
};

Forecast forecast(TrainingSession& session, const Device& device) {
  const Program& program = session.program();
  Forecast f{.arena = program.arena_bytes()};
  for (const auto& [name, tensor] : session.parameters().tensors()) f.states += tensor.spec().bytes();
  if (!device.is_cuda()) return f;
  for (const auto& [name, id] : program.graph().inputs()) f.inputs += program.graph().spec(id).bytes();
  f.device = cuda_devices().devices.at(static_cast<std::size_t>(device.index)).memory_bytes;
  return f;
}

// Builds the program, runs a few steps, on the recipe's data where they are there, and says what the whole run would
// take.
int dry_run(const Options& o, const Recipe& recipe) {
  const bool has_data = std::filesystem::exists(recipe.data.train.path);
  if (!has_data) {
    std::cerr << recipe.data.train.path
              << " is not there: random images stand in for the data, whose number is not known\n";
  }
  TrainingSession session(recipe, has_data ? open_source(recipe.data.train) : stand_in_data(recipe), o.request.program);
  const bool knows_steps = has_data || recipe.train.max_steps > 0;
  constexpr int kTimed = 3;
  if (!o.request.init.empty()) load_weights(o.request.init, session.parameters());
  session.step();  // first use of every kernel
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimed; ++i) session.step();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / kTimed;
  const Forecast memory = forecast(session, o.request.program.device);
  const std::vector<std::pair<std::string, double>> profile = session.program().profile_compute();
  const double total = seconds * static_cast<double>(session.total_steps());
  std::cerr << memory_note(session.program(), o.request.program) << session.learning_note();
  if (o.json) {
    std::cout << nlohmann::json{{"parameters", session.parameters().count()},
                                {"steps", knows_steps ? nlohmann::json(session.total_steps()) : nlohmann::json()},
                                {"data", has_data ? "recipe" : "random"},
                                {"nodes", session.program().graph().nodes().size()},
                                {"device", to_string(o.request.program.device)},
                                {"arena_bytes", memory.arena},
                                {"state_bytes", memory.states},
                                {"input_bytes", memory.inputs},
                                {"device_bytes", memory.device},
                                {"seconds_per_step", seconds},
                                {"seconds", knows_steps ? nlohmann::json(total) : nlohmann::json()},
                                {"seconds_by_op", profile}}
                     .dump(2)
              << '\n';
    return 0;
  }
  fmt::print("{}: {} parameters, {} steps of {} images\n", recipe.name, session.parameters().count(),
             knows_steps ? std::to_string(session.total_steps()) : "an unknown number of", recipe.train.batch);
  fmt::print("memory: {:.1f} MB for activations and gradients, {:.1f} MB for parameters and optimizer\n",
             static_cast<double>(memory.arena) / 1e6, static_cast<double>(memory.states) / 1e6);
  if (memory.device > 0) {
    fmt::print("        {:.1f} MB in all, of {:.0f} MB on {}\n", static_cast<double>(memory.total()) / 1e6,
               static_cast<double>(memory.device) / 1e6, to_string(o.request.program.device));
  }
  fmt::print("time: {:.1f} ms a step", 1e3 * seconds);
  if (knows_steps) fmt::print(", about {:.1f} min in all, without evaluations", total / 60.0);
  fmt::print("\n");
  constexpr std::size_t kShown = 8;
  fmt::print("where the time of a step goes:\n");
  for (std::size_t i = 0; i < std::min(kShown, profile.size()); ++i) {
    fmt::print("  {:<24} {:8.1f} ms\n", profile[i].first, 1e3 * profile[i].second);
  }
  return 0;
}

int train(Options& o) {
  o.device.check();
  o.request.program = o.device.program;
  const Recipe recipe = load(o);
  if (o.dry_run) return dry_run(o, recipe);
  if (o.request.out.empty()) throw InputError("--out is missing: the folder for the run (or use --dry-run)");
  const PipeGuard pipe;
  const TrainEnd end = train_run(recipe, o.request).end;
  if (end == TrainEnd::kInterrupted) {
    std::cerr << "interrupted; go on with: chiasm train " << o.recipe << " --out " << o.request.out << " --resume\n";
    return kInterrupted;
  }
  if (!o.request.quiet) std::cerr << "done: " << o.request.out << "/report.html\n";
  return 0;
}

}  // namespace

void add_train(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("train", "Train the network of a recipe");
  verb.option("recipe", o->recipe, "Recipe: its name, or a JSON file").required();
  verb.option("--out", o->request.out, "Folder of the run");
  verb.flag("--resume", o->request.resume, "Go on from the newest snapshot in the folder");
  verb.option("--init", o->request.init, "Weights to start from: converted ones, or a snapshot of another run");
  verb.option("--set", o->overrides, "Override a recipe key: --set train.batch=32").repeatable();
  o->device.add_to(verb);
  verb.option("--dtype", o->dtype, "float32, or float64 for the reference path");
  verb.option("--seed", o->seed, "Seed of initial weights, order and noise");
  verb.option("--epochs", o->epochs, "Passes through the data, instead of the recipe's");
  verb.option("--max-steps", o->max_steps, "Stop after this many steps instead of the recipe's epochs");
  verb.flag("--dry-run", o->dry_run, "Say what would happen: parameters, memory, time");
  verb.flag("--json", o->json, "With --dry-run: print JSON");
  verb.flag("--quiet", o->request.quiet, "No progress");
  verb.footer(
      "Examples:\n"
      "  chiasm train fashion_rgc --out runs/fashion\n"
      "  chiasm train fashion_rgc --out runs/fashion --resume\n"
      "  chiasm train fashion_rgc --out runs/fashion --resume --epochs 6     # a finished run goes on\n"
      "  chiasm train rgc_median --out runs/median --device cuda:0 --set train.precision=bfloat16\n"
      "  chiasm train fashion_rgc --dry-run --set train.batch=128");
  verb.action([o] { return train(*o); });
}

}  // namespace chiasm
