// SPDX-License-Identifier: Apache-2.0
// Question: what does the gate arithmetic of a reciprocal gated cell cost as one node, against one node per function,
// and how far is that from the cost of moving the bytes that must move? Per cell, at [16, 16, 16, 128], with a, g and m
// results of convolutions and c the cell's memory:
//   next = elu((d sigmoid(a + b) + e) c + (f tanh(g + h) + i) (m + n))
// `forward` computes next alone; `training` also the gradients of a, g, m and c. A graph holds twelve cells one after
// the other, each with tensors of its own, so that they come from memory and not from a cache, as in a training step.
//   pointwise_bench --benchmark_repetitions=5 ; CHIASM_BENCH_THREADS=N sets the threads (default 1)
// Counters: `per_cell` is the time of one cell; `copies` is that in units of what memcpy takes for a tensor of this
// size. Moving what forward has to move (four tensors in, one out) would be 2.5 copies.
#include <string>

#include "bench/kernels/common.h"
#include "engine/ops.h"
#include "engine/program.h"

namespace chiasm {
namespace {

const Spec kImage{DType::kFloat32, {16, 16, 16, 128}};
constexpr int kCells = 12;

Graph cells(bool training) {
  Graph graph;
  for (int i = 0; i < kCells; ++i) {
    const std::string suffix = std::to_string(i);
    const auto image = [&](const char* name) { return graph.input(name + suffix, kImage); };
    const auto bias = [&](const char* name) { return graph.input(name + suffix, {kImage.dtype, {kImage.shape[3]}}); };
    const Value a = image("a"), g = image("g"), m = image("m"), c = image("c");
    const Value tau = affine(sigmoid(a + bias("b")), -0.92, 0.92);
    const Value gate = affine(tanh(g + bias("h")), -0.7, 0.7);
    const Value next = elu(tau * c + gate * (m + bias("n")));
    graph.output("next" + suffix, next);
    if (!training) continue;
    const std::vector<Value> d = gradients(next, std::vector<Value>{a, g, m, c});
    for (std::size_t k = 0; k < d.size(); ++k) graph.output("d" + std::to_string(k) + "_" + suffix, d[k]);
  }
  return graph;
}

// Seconds in which memcpy copies one tensor out of as many as the graph has inputs.
double copy_seconds() {
  constexpr int kTensors = 4 * kCells;
  return bench::copy_seconds(2 * kTensors * kImage.bytes()) / kTensors;
}

void run(benchmark::State& state, bool training, const char* passes) {
  const Graph graph = cells(training);
  Program program(graph, {.threads = bench::threads(), .passes = passes});
  for (const auto& [name, id] : graph.inputs()) {
    const MutableView view = program.input(name);
    for (std::int64_t i = 0; i < view.elements(); ++i) {
      view.as<float>()[i] = 0.02f * static_cast<float>(i * 7919 % 101 - 50);
    }
  }
  program.run();
  for (auto _ : state) program.run();
  using benchmark::Counter;
  const double runs = static_cast<double>(state.iterations()) * kCells;
  const auto inverse_rate = static_cast<Counter::Flags>(Counter::kIsRate | Counter::kInvert);
  state.counters["per_cell"] = Counter(runs, inverse_rate);
  state.counters["copies"] = Counter(runs * copy_seconds(), inverse_rate);
}

const bool registered = [] {
  for (const bool training : {false, true}) {
    for (const bool fused : {false, true}) {
      const std::string name = std::string(training ? "training" : "forward") + (fused ? "/fused" : "/separate");
      const char* passes = fused ? "prune,share,fuse_pointwise,plan_memory" : "prune,share,plan_memory";
      bench::add_row(name, [=](benchmark::State& state) { run(state, training, passes); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace chiasm
