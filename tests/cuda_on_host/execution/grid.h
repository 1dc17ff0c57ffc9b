// SPDX-License-Identifier: Apache-2.0
// Runs a grid of blocks of threads on the calling OS thread.
#pragma once

#include <cstddef>
#include <string>

#include "tests/cuda_on_host/device/vector_types.h"

namespace cuda_on_host {

struct Grid {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
  // Runs the body of one thread: invoke(arguments).
  void (*invoke)(const void* arguments) = nullptr;
  const void* arguments = nullptr;
};

// Runs every thread of every block to its end. Returns what went wrong, empty when nothing did: "block (1, 0, 0):
// deadlock: threads 0-30 wait at __syncthreads (x.cu:12), thread 31 waits ...". After a failure the rest of the grid
// does not run. Threads are fibers, but a thread that never waits costs no switch: it runs on the fiber of the thread
// before it. REQUIRES: one caller at a time; the sizes are within CUDA's limits.
std::string run_grid(const Grid& grid);

}  // namespace cuda_on_host
