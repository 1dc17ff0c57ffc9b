// SPDX-License-Identifier: Apache-2.0
// Question: how long does one training step of a recipe take, and where does the time go? It is compare.py that puts
// PyTorch beside it, alternating between processes; this program is one of them.
//   training_step_bench --recipe FILE --data FILE.npz [--set key=value]... [--passes LIST] [--threads N] [--reps N]
//                       [--device cpu|cuda:N] [--math float32|tf32|bfloat16] [--capture on|off]
// The npz holds "image" [N, H, W, C] (normalised), "label" int32 [N] and every parameter by name. One JSON line about
// the program comes first. Then, with --reps, N steps; without, commands from standard input, each answered by a line:
//   step       one training step: {"seconds", "loss"}
//   profile    seconds of a step without its updates, by op
//   overhead   a whole replay against the sum of its nodes' times, which reading the clock inflates: medians of 7
//   product    the rate of our float32 matrix product with as many threads: {"sgemm_gflops"}
//   save FILE  npz of "logits" and "loss" of the last step, and parameters and momenta by name
//   quit
// On CUDA `profile` waits after every node, so that its sum holds what launching costs; cuda_nodes_bench has the sum
// without it. A step is what `chiasm train` does between two batches: compute, check that results are finite, update.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "bench/training_step/measure.h"
#include "engine/finite.h"
#include "engine/io/npy.h"
#include "engine/program.h"
#include "models/tasks/classification/graphs.h"
#include "tools/machine/product_rates.h"
#include "tools/recipe/recipe.h"

namespace chiasm::bench {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string recipe, data;
  std::vector<std::string> overrides;
  ProgramOptions program{.threads = 1};
  int reps = 0;  // 0: commands
};

CudaMath math_of(const std::string& name) {
  if (name == "float32") return CudaMath::kFloat32;
  if (name == "tf32") return CudaMath::kTf32;
  if (name == "bfloat16") return CudaMath::kBfloat16;
  throw InputError("--math is float32, tf32 or bfloat16, not " + name);
}

Options parse(const std::vector<std::string>& words) {
  Options o;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) throw InputError(words[i] + " needs a value");
    const std::string& key = words[i];
    const std::string& value = words[i + 1];
    if (key == "--recipe") {
      o.recipe = value;
    } else if (key == "--data") {
      o.data = value;
    } else if (key == "--set") {
      o.overrides.push_back(value);
    } else if (key == "--passes") {
      o.program.passes = value;
    } else if (key == "--threads") {
      o.program.threads = std::stoi(value);
    } else if (key == "--device") {
      o.program.device = Device::parse(value);
    } else if (key == "--math") {
      o.program.math = math_of(value);
    } else if (key == "--capture") {
      if (value != "on" && value != "off") throw InputError("--capture is on or off, not " + value);
      o.program.capture = value == "on";
    } else if (key == "--reps") {
      o.reps = std::stoi(value);
    } else {
      throw InputError("unknown option " + key);
    }
  }
  if (o.recipe.empty() || o.data.empty()) throw InputError("--recipe and --data are needed");
  return o;
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : recipe_(load_recipe(options.recipe, options.overrides)),
        on_device_(options.program.device.is_cuda()),
        threads_(options.program.threads) {
    const std::map<std::string, Tensor> data = read_npz(options.data);
    const double start = now();
    const std::int64_t batch = data.at("label").shape()[0];
    std::optional<Graph> graph = build_training_step(recipe_.network, parameters_, batch, recipe_.train.optimizer,
                                                     {.seed = recipe_.train.seed, .passes = options.program.passes});
    const double built = now();
    const std::size_t nodes = graph->nodes().size();
    program_.emplace(*graph, options.program);
    const double compiled = now();
    graph.reset();
    load(data);
    const Work work = work_of(program_->graph());
    about_ = {{"build_seconds", built - start},
              {"compile_seconds", compiled - built},
              {"nodes_built", nodes},
              {"nodes", program_->graph().nodes().size()},
              {"gflop", work.flops / 1e9},
              {"matrix_gflop", work.matrix_flops / 1e9},
              {"parameters", parameters_.count()},
              {"device", to_string(options.program.device)},
              {"arena_bytes", program_->arena_bytes()},
              {"state_bytes", state_bytes()},
              {"peak_resident_bytes", peak_resident_bytes()}};
  }

  const Json& about() const { return about_; }

  Json step() {
    const double seconds = seconds_of([&] {
      program_->run_compute();
      if (!all_finite(program_->output("loss")) || !program_->updates_are_finite()) {
        throw NumericalError("loss", "it or an update is not finite");
      }
      program_->run_commit();
      if (on_device_) program_->updates_are_finite();  // waits for the updates as well
    });
    return {{"seconds", seconds}, {"loss", *program_->output("loss").as<float>()}};
  }

  Json profile() {
    Json ops = Json::object();
    double sum = 0.0;
    for (const auto& [name, seconds] : program_->profile_compute()) {
      ops[name] = seconds;
      sum += seconds;
    }
    return {{"seconds", sum}, {"ops", ops}};
  }

  Json overhead() {
    std::vector<double> whole, nodes, clock;
    for (int i = 0; i < 7; ++i) {
      whole.push_back(seconds_of([&] { program_->run_compute(); }));
      double sum = 0.0;
      for (const auto& [name, seconds] : program_->profile_compute()) sum += seconds;
      nodes.push_back(sum);
      double unused = 0.0;
      clock.push_back(seconds_of([&] {
                        for (int k = 0; k < 10000; ++k) unused += now();
                      }) /
                      1e4);
      if (unused < 0.0) throw InternalError("the clock runs backwards");
    }
    return {{"replay_seconds", median(whole)},
            {"sum_of_nodes_seconds", median(nodes)},
            {"clock_read_seconds", median(clock)},
            {"nodes", program_->graph().nodes().size()}};
  }

  Json product() const { return {{"sgemm_gflops", measure_product_rate<float>(CpuStream(threads_)).gflops}}; }

  Json save(const std::string& path) const {
    std::map<std::string, Tensor> all = parameters_.tensors();
    for (const char* name : {"logits", "loss"}) {
      const View view = program_->output(name);
      all[name] = Tensor::of<float>(view.shape(), {view.as<float>(), static_cast<std::size_t>(view.elements())});
    }
    write_npz(path, all);
    return {{"saved", path}};
  }

 private:
  // Of parameters, momenta and other states.
  std::int64_t state_bytes() const {
    std::int64_t bytes = 0;
    for (const auto& [name, id] : program_->graph().states()) bytes += program_->graph().spec(id).bytes();
    return bytes;
  }

  // Every array of the file has its place, and every parameter is in the file.
  void load(const std::map<std::string, Tensor>& data) {
    parameters_.initialise(0);
    std::set<std::string> unused;
    for (const auto& [name, tensor] : data) unused.insert(name);
    for (const Parameter& p : parameters_.all()) {
      if (p.role != ParameterRole::kForward) continue;
      const auto found = data.find(p.name);
      if (found == data.end() || found->second.spec() != p.spec) {
        throw InputError("the data have no " + to_string(p.spec) + " \"" + p.name + "\"");
      }
      parameters_.tensors()[p.name] = found->second;
      unused.erase(p.name);
    }
    program_->bind_all(parameters_.tensors());
    for (const char* name : {"image", "label"}) {
      program_->set_input(name, data.at(name).view());
      unused.erase(name);
    }
    *program_->input("learning_rate").as<float>() = static_cast<float>(recipe_.train.schedule.rate_at(0.0));
    if (!unused.empty()) throw InputError("the network has no parameter \"" + *unused.begin() + "\"");
  }

  Recipe recipe_;
  bool on_device_;
  int threads_;
  Parameters parameters_;
  std::optional<Program> program_;
  Json about_;
};

void print(const Json& line) { std::cout << line.dump() << std::endl; }

void serve(Bench& bench) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, argument;
    words >> command >> argument;
    if (command == "step") {
      print(bench.step());
    } else if (command == "profile") {
      print(bench.profile());
    } else if (command == "overhead") {
      print(bench.overhead());
    } else if (command == "product") {
      print(bench.product());
    } else if (command == "save") {
      print(bench.save(argument));
    } else if (command == "quit") {
      return;
    } else {
      throw InputError("unknown command " + command);
    }
  }
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) {
  try {
    const chiasm::bench::Options options = chiasm::bench::parse({argv + 1, argv + argc});
    chiasm::bench::Bench bench(options);
    chiasm::bench::print(bench.about());
    for (int i = 0; i < options.reps; ++i) chiasm::bench::print(bench.step());
    if (options.reps == 0) chiasm::bench::serve(bench);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "training_step_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
