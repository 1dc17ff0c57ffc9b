// SPDX-License-Identifier: Apache-2.0
// CHIASM_CUDA(call): throws DeviceError unless the call returns cudaSuccess. The message has the expression, CUDA's
// symbol and description, and the place: "cudaMalloc(&p, n): cudaErrorMemoryAllocation (out of memory) at
// kernels/x.cu:12".
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "kernels/error.h"

namespace chiasm::detail {

// cudaGetErrorName and cudaGetErrorString need no driver, so this is safe when CUDA itself is what is broken.
inline std::string describe(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ")";
}

inline void check_cuda(cudaError_t error, const char* expression, const char* file, int line) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // an error that was reported is not reported again by the next kernel launch
  throw DeviceError(std::string(expression) + ": " + describe(error) + " at " + file + ":" + std::to_string(line));
}

}  // namespace chiasm::detail

#define CHIASM_CUDA(call) ::chiasm::detail::check_cuda((call), #call, __FILE__, __LINE__)
