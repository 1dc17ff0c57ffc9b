// SPDX-License-Identifier: Apache-2.0
// How every kernel of ours is started: CHIASM_LAUNCH(stream, kernel, grid, block, shared_bytes, arguments...). A launch
// that fails throws DeviceError naming the kernel; an empty grid launches nothing.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "kernels/cuda/check.cuh"
#include "kernels/cuda/launch_observer.h"
#include "kernels/cuda/stream.h"
#include "kernels/error.h"

namespace chiasm {
namespace detail {

template <class... Parameters, class... Arguments>
void launch(const CudaStream& stream, const char* name, const char* file, int line, void (*kernel)(Parameters...),
            dim3 grid, dim3 block, std::size_t shared_bytes, Arguments&&... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream.native();
  // A block gets more than 48 KiB of shared memory only when the kernel was told so.
  constexpr std::size_t kDefaultShared = 48 * 1024;
  if (shared_bytes > kDefaultShared) {
    check_cuda(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared_bytes)),
               name, file, line);
  }
  check_cuda(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(std::forward<Arguments>(arguments))...), name,
             file, line);
  if (launch_observer) launch_observer(name);
}

}  // namespace detail

// The number of blocks that cover `count` items, `per_block` each. Throws ShapeError beyond what a grid can hold.
inline unsigned blocks_for(std::int64_t count, std::int64_t per_block) {
  const std::int64_t blocks = (count + per_block - 1) / per_block;
  if (blocks > std::numeric_limits<int>::max()) {
    throw ShapeError("a grid of " + std::to_string(blocks) + " blocks is too large for CUDA");
  }
  return static_cast<unsigned>(blocks);
}

// Whether `address` may be read 16 bytes at a time.
template <class T>
bool is_aligned16(const T* address) {
  return reinterpret_cast<std::uintptr_t>(address) % 16 == 0;
}

}  // namespace chiasm

#define CHIASM_LAUNCH(stream, kernel, grid, block, shared_bytes, ...) \
  ::chiasm::detail::launch((stream), #kernel, __FILE__, __LINE__, kernel, (grid), (block), (shared_bytes), __VA_ARGS__)

// Inside a kernel: T* name, the dynamic shared memory of the block, 16-byte aligned. Once in a kernel.
#if defined(__CUDACC__)
#define CHIASM_DYNAMIC_SHARED(T, name)                           \
  extern __shared__ __align__(16) unsigned char shared_bytes_[]; \
  T* const name = reinterpret_cast<T*>(shared_bytes_)
#else
#define CHIASM_DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(::cuda_on_host::dynamic_shared())
#endif
