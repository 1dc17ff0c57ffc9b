// SPDX-License-Identifier: Apache-2.0
// What stands between a graph and a program: passes, then the memory plan. A Program does this by itself; plans are
// also made to be looked at.
#pragma once

#include <cstdint>
#include <string>

#include "engine/device.h"
#include "engine/graph.h"
#include "engine/memory_plan.h"
#include "kernels/cuda/stream.h"

namespace chiasm {

struct ProgramOptions {
  Device device = {};
  int threads = 0;  // of the CPU; 0: one per core
  // On the CPU, the same bits for any number of threads; on CUDA, library engines that give the same bits on every run.
  bool deterministic = false;
  CudaMath math = CudaMath::kFloat32;  // of convolutions and matrix products on CUDA
  std::string passes = "all";          // see select_passes
  // What activations, gradients and scratch memory may take, not counting parameters and other states; 0: any amount.
  // Met as far as rematerialise can: compare with MemoryPlan::arena_bytes.
  std::int64_t memory_bytes = 0;
  // How many streams of a CUDA device independent nodes are spread over, and whether a run is captured as a CUDA graph
  // and replayed. Neither changes a result.
  int branches = 4;
  bool capture = true;
};

struct CompiledGraph {
  Graph graph;  // after passes
  MemoryPlan plan;
  std::int64_t recomputed_flops = 0;  // the part of total_flops that is computed twice to save memory
};

// Throws InputError for a pass that does not exist.
CompiledGraph compile(const Graph& graph, const ProgramOptions& options, StreamRef stream);
// The same for a stream of the device that the options name. Throws InputError when there is none.
CompiledGraph compile(const Graph& graph, const ProgramOptions& options);
CudaStream cuda_stream_of(const ProgramOptions& options);

// Floating-point operations of all nodes, as their ops count them.
std::int64_t total_flops(const Graph& graph);

}  // namespace chiasm
