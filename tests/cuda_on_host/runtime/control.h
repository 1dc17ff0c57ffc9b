// SPDX-License-Identifier: Apache-2.0
// What tests and the fakes of the vendor libraries can ask of this runtime, beyond CUDA.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "tests/cuda_on_host/execution/order.h"
#include "tests/cuda_on_host/runtime/types.h"

namespace cuda_on_host {

// Enqueues work of a library on a stream, as if it were a kernel: it runs when the stream gets there, or becomes a node
// of the graph that the stream captures. `run` may touch device memory, must own what else it needs, and returns what
// went wrong, empty for success. `name` is for messages.
cudaError_t enqueue(cudaStream_t stream, std::string name, std::function<std::string()> run);

// Whether [address, address + bytes) lies in one device allocation. Zero bytes at any address do.
bool is_device_memory(const void* address, std::size_t bytes);

// Device and pinned memory that was allocated and not yet freed.
struct LiveMemory {
  int allocations = 0;
  std::size_t bytes = 0;
};
LiveMemory live_device_memory();
LiveMemory live_pinned_memory();

// The limit of device memory, at first CUDA_ON_HOST_MEMORY bytes of the environment or 80 GiB; beyond it cudaMalloc
// gives cudaErrorMemoryAllocation.
void set_device_memory(std::size_t bytes);

// The number of devices, at first CUDA_ON_HOST_DEVICES of the environment (0 or 1) or one.
void set_device_count(int count);

// How many kernels, copies and other pieces of work are enqueued and have not run.
std::size_t pending_work();

// Forgets a failed kernel and what was enqueued behind it, so that the next test starts clean. Allocations, streams and
// events stay.
void clear_failure();

}  // namespace cuda_on_host
