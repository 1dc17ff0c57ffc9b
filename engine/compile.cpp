// SPDX-License-Identifier: Apache-2.0
#include "engine/compile.h"

#include "engine/passes/pass.h"

namespace chiasm {

CompiledGraph compile(const Graph& graph, const ProgramOptions& options, const CpuStream& stream) {
  Graph compiled = graph;
  for (const Pass& pass : select_passes(options.passes)) compiled = pass.run(compiled);
  MemoryPlan plan = plan_memory(compiled, stream, selects(options.passes, kPlanMemory));
  return {std::move(compiled), std::move(plan)};
}

std::int64_t total_flops(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes()) {
    std::vector<Spec> in, out;
    for (ValueId id : node.inputs) in.push_back(graph.spec(id));
    for (ValueId id : node.outputs) out.push_back(graph.spec(id));
    sum += node.op->flops(in, out);
  }
  return sum;
}

}  // namespace chiasm
