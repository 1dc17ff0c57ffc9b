// SPDX-License-Identifier: Apache-2.0
// Question: which nodes of a compiled training step are far from what the device can do, and how long would the step
// take if nothing were lost between its nodes? Every distinct node of the step (op and shapes) is measured by itself,
// on operands that come from memory. Baselines in the same run: the copy bandwidth and the rate of a large product. The
// closing line has `sum_seconds`, each node's median as often as the step has it: with the time of a replayed step
// (training_step_bench --device cuda) it tells the share of the step in which the device waits, which branches that run
// beside each other and operands still in the cache make smaller, even negative.
//   cuda_nodes_bench [--recipe NAME] [--set key=value]... [--batch N] [--filter OP] [--quick] [--smoke] [--device N]
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/kernels/cuda_report.h"
#include "engine/compile.h"
#include "models/tasks/classification/graphs.h"
#include "tools/recipe/recipe.h"

namespace chiasm::bench {
namespace {

// A node, or several calls of one op that are enqueued together.
struct Distinct {
  OpPtr op;
  std::vector<std::vector<Spec>> calls;
  std::string label;  // of its first node
  int count = 1;
  bool is_product = false;
};

std::vector<Distinct> distinct_nodes(const Graph& graph) {
  std::vector<Distinct> all;
  for (const Node& node : graph.nodes()) {
    std::vector<Spec> specs;
    for (ValueId id : node.inputs) specs.push_back(graph.spec(id));
    if (node.op->view_offset(specs)) continue;
    Distinct* found = nullptr;
    for (Distinct& d : all) {
      if (d.op->equals(*node.op) && (node.op->runs_many() || d.calls[0] == specs)) found = &d;
    }
    if (found == nullptr) {
      const std::string name = node.op->name();
      all.push_back({node.op, {specs}, node.label, 1, name.starts_with("conv") || name.starts_with("linear")});
    } else if (node.op->runs_many()) {
      found->calls.push_back(specs);
    } else {
      ++found->count;
    }
  }
  return all;
}

void run(const CudaBenchOptions& options) {
  CudaReport report("cuda_nodes", options, "which nodes of a training step are far from what the device can do?",
                    "the copy bandwidth and the rate of a large product");
  const std::string name = options.recipe.empty() ? "rgc_median" : options.recipe;
  std::vector<std::string> overrides = options.overrides;
  if (options.recipe.empty() && overrides.empty()) overrides.push_back("model.image=[64,64,3]");
  const Recipe recipe = load_recipe(name, overrides);
  const std::int64_t batch = options.batch > 0 ? options.batch : options.smoke ? 2 : 64;
  const CudaMath math = recipe.train.precision;
  const ProgramOptions program{.device = {Device::Kind::kCuda, options.device}, .math = math};
  Parameters parameters;
  const CompiledGraph compiled = compile(
      build_training_step(recipe.network, parameters, batch, recipe.train.optimizer, {.passes = program.passes}),
      program);
  double sum = 0.0;
  int launches = 0;
  for (const Distinct& d : distinct_nodes(compiled.graph)) {
    const std::string row = name + "/" + d.op->name() + "/" + d.label;
    if (!report.wants(row)) continue;
    std::vector<std::vector<Tensor>> operands;
    for (const std::vector<Spec>& specs : d.calls) {
      std::vector<Tensor> in;
      for (const Spec& spec : specs) in.push_back(operand(spec));
      operands.push_back(std::move(in));
    }
    const OpResult result = measure_op(report.stream(math), options, *d.op, operands);
    RowDetails details{.count = d.count, .calls = static_cast<int>(d.calls.size()), .inputs = {}};
    for (const Spec& spec : d.calls[0]) details.inputs.push_back(chiasm::to_string(spec));
    if (d.is_product) {
      report.product_row(row, result, math, details);
    } else {
      report.memory_row(row, result, details);
    }
    sum += d.count * result.seconds.median;
    launches += d.count;
  }
  const nlohmann::ordered_json line{{"bench", "cuda_nodes"},
                                    {"recipe", name},
                                    {"batch", batch},
                                    {"math", to_string(math)},
                                    {"launches", launches},
                                    {"sum_seconds", sum},
                                    {"arena_bytes", compiled.plan.arena_bytes}};
  std::cout << line.dump() << std::endl;
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) {
  return chiasm::bench::run_cuda_bench("cuda_nodes_bench", argc, argv, chiasm::bench::run);
}
