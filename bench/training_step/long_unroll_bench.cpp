// SPDX-License-Identifier: Apache-2.0
// Question: does compiling a long unroll stay cheap? A training step of 20 recurrent layers with feedback over 400
// steps, small enough that only the number of nodes matters; time and memory of building the graph, of each pass, and
// of planning memory. The baseline is the same network at half the steps: linear cost doubles.
//   long_unroll_bench [--layers N] [--steps N] [--passes LIST]
// One JSON line for each number of steps. Peak memory is that of the process so far, so the smaller run comes first.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/training_step/measure.h"
#include "engine/config/config.h"
#include "engine/passes/pass.h"
#include "engine/program.h"
#include "models/network.h"
#include "models/tasks/classification/graphs.h"

namespace chiasm::bench {
namespace {

using Json = nlohmann::ordered_json;

// A chain of convolutions with time decay on 4 x 4 images, where every fourth layer feeds back to the one three below
// it.
Network network_of(int layers, int steps) {
  Json list = Json::array(), connections = Json::array();
  const auto name = [](int i) { return std::string("l").append(std::to_string(i)); };
  for (int i = 0; i + 1 < layers; ++i) {
    list.push_back({{"name", name(i)},
                    {"pre", {{{"op", "conv"}, {"channels", 2}, {"kernel", 3}}, "elu"}},
                    {"cell", {{"type", "time_decay"}, {"initial", 0.5}}}});
    if (i % 4 == 3) connections.push_back({{"source", name(i)}, {"target", name(i - 3)}});
  }
  list.push_back({{"name", name(layers - 1)},
                  {"pre", {{{"op", "global_average_pool"}}, {{"op", "linear"}, {"units", 2}}}},
                  {"cell", {{"type", "time_decay"}, {"initial", 0.5}}}});
  const Json model{{"image", {4, 4, 2}}, {"steps", steps}, {"layers", list}, {"connections", connections}};
  return read_network(Config::parse(model.dump(), "long_unroll_bench").root());
}

Json compile(int layers, int steps, const std::string& passes) {
  const Network network = network_of(layers, steps);
  Parameters parameters;
  Graph graph;
  Json line{{"layers", layers}, {"steps", steps}};
  line["build_seconds"] = seconds_of(
      [&] { graph = build_training_step(network, parameters, 1, {.rule = Sgd{.momentum = 0.9}}, {.passes = passes}); });
  line["nodes_built"] = graph.nodes().size();
  line["compile_seconds"] = seconds_of([&] { const Program program(graph, {.threads = 1, .passes = passes}); });
  // The same again, pass by pass.
  for (const Pass& pass : select_passes(passes)) {
    line[std::string(pass.name) + "_seconds"] = seconds_of([&] { graph = pass.run(graph); });
    line["nodes_after_" + std::string(pass.name)] = graph.nodes().size();
  }
  line["plan_seconds"] = seconds_of([&] {
    const Program program(graph,
                          {.threads = 1, .passes = selects(passes, kPlanMemory) ? std::string(kPlanMemory) : "none"});
    line["arena_bytes"] = program.arena_bytes();
  });
  line["peak_resident_bytes"] = peak_resident_bytes();
  return line;
}

void run(const std::vector<std::string>& words) {
  int layers = 20, steps = 400;
  std::string passes = "all";
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) throw InputError(words[i] + " needs a value");
    if (words[i] == "--layers") {
      layers = std::stoi(words[i + 1]);
    } else if (words[i] == "--steps") {
      steps = std::stoi(words[i + 1]);
    } else if (words[i] == "--passes") {
      passes = words[i + 1];
    } else {
      throw InputError("unknown option " + words[i]);
    }
  }
  for (int t : {steps / 2, steps}) std::cout << compile(layers, t, passes).dump() << std::endl;
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) {
  try {
    chiasm::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "long_unroll_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
