// SPDX-License-Identifier: Apache-2.0
#include "engine/compile.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "engine/node_specs.h"
#include "engine/passes/pass.h"
#include "engine/passes/rematerialise.h"

namespace chiasm {

namespace {

Graph run_passes(const Graph& graph, std::span<const Pass> passes) {
  Graph result = graph;
  for (const Pass& pass : passes) result = pass.run(result);
  return result;
}

Rematerialised fit(const Graph& graph, std::vector<Pass> passes, std::int64_t budget, StreamRef stream) {
  Rematerialised best = rematerialise(run_passes(graph, passes), budget, stream);
  // One product for the gradient of a weight reads values of every timestep at once, so that none of them can be
  // dropped before: batch_time makes little memory impossible.
  if (best.peak_bytes > budget && std::erase_if(passes, [](const Pass& p) { return p.run == batch_time; }) > 0) {
    Rematerialised other = rematerialise(run_passes(graph, passes), budget, stream);
    if (other.peak_bytes < best.peak_bytes) best = std::move(other);
  }
  return best;
}

}  // namespace

CompiledGraph compile(const Graph& graph, const ProgramOptions& options, StreamRef stream) {
  const std::vector<Pass> passes = select_passes(options.passes);
  const bool plans = selects(options.passes, kPlanMemory);
  CompiledGraph compiled;
  if (options.memory_bytes > 0 && plans && selects(options.passes, kRematerialise)) {
    Rematerialised made = fit(graph, passes, options.memory_bytes, stream);
    compiled.graph = std::move(made.graph);
    compiled.recomputed_flops = made.recomputed_flops;
  } else {
    compiled.graph = run_passes(graph, passes);
  }
  compiled.plan = plan_memory(compiled.graph, stream, plans);
  return compiled;
}

CompiledGraph compile(const Graph& graph, const ProgramOptions& options) {
  if (options.device.is_cuda()) return compile(graph, options, cuda_stream_of(options));
  return compile(graph, options, CpuStream(options.threads, options.deterministic));
}

CudaStream cuda_stream_of(const ProgramOptions& options) {
  return CudaStream({.device = options.device.index, .deterministic = options.deterministic, .math = options.math});
}

std::int64_t total_flops(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes()) {
    sum += node.op->flops(input_specs(graph, node), output_specs(graph, node));
  }
  return sum;
}

}  // namespace chiasm
