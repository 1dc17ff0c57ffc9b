// SPDX-License-Identifier: Apache-2.0
// What stands between a graph and a program: passes, then the memory plan. A Program does this by itself; plans are
// also made to be looked at.
#pragma once

#include <cstdint>
#include <string>

#include "engine/graph.h"
#include "engine/memory_plan.h"

namespace chiasm {

struct ProgramOptions {
  int threads = 0;             // 0: one per core
  bool deterministic = false;  // the same bits for any number of threads
  std::string passes = "all";  // see select_passes
  // What activations, gradients and scratch memory may take, not counting parameters and other states; 0: any amount.
  // Met as far as rematerialise can: compare with MemoryPlan::arena_bytes.
  std::int64_t memory_bytes = 0;
};

struct CompiledGraph {
  Graph graph;  // after passes
  MemoryPlan plan;
  std::int64_t recomputed_flops = 0;  // the part of total_flops that is computed twice to save memory
};

// Throws InputError for a pass that does not exist.
CompiledGraph compile(const Graph& graph, const ProgramOptions& options, const CpuStream& stream);

// Floating-point operations of all nodes, as their ops count them.
std::int64_t total_flops(const Graph& graph);

}  // namespace chiasm
