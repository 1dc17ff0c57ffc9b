// SPDX-License-Identifier: Apache-2.0
// CHIASM_CUBLAS(call) and CHIASM_CUDNN(call): as CHIASM_CUDA, for the status of a library.
#pragma once

#include <cublasLt.h>
#include <cudnn.h>

#include <string>

#include "kernels/error.h"

namespace chiasm::detail {

inline void check_cublas(cublasStatus_t status, const char* expression, const char* file, int line) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError(std::string(expression) + ": " + cublasLtGetStatusName(status) + " (" +
                    cublasLtGetStatusString(status) + ") at " + file + ":" + std::to_string(line));
}

inline void check_cudnn(cudnnStatus_t status, const char* expression, const char* file, int line) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char last[512] = "";
  cudnnGetLastErrorString(last, sizeof(last));
  throw DeviceError(std::string(expression) + ": " + cudnnGetErrorString(status) + " (" + last + ") at " + file + ":" +
                    std::to_string(line));
}

}  // namespace chiasm::detail

#define CHIASM_CUBLAS(call) ::chiasm::detail::check_cublas((call), #call, __FILE__, __LINE__)
#define CHIASM_CUDNN(call) ::chiasm::detail::check_cudnn((call), #call, __FILE__, __LINE__)
