// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/check.cuh"
#include "kernels/cuda/timer.h"

namespace chiasm {

CudaTimer::CudaTimer(const CudaStream& stream) {
  stream.make_current();
  CHIASM_CUDA(cudaEventCreateWithFlags(&start_, cudaEventDefault));
  CHIASM_CUDA(cudaEventCreateWithFlags(&stop_, cudaEventDefault));
}

CudaTimer::~CudaTimer() {
  if (start_ != nullptr) cudaEventDestroy(start_);
  if (stop_ != nullptr) cudaEventDestroy(stop_);
}

void CudaTimer::start(const CudaStream& stream) { CHIASM_CUDA(cudaEventRecord(start_, stream.native())); }

void CudaTimer::stop(const CudaStream& stream) { CHIASM_CUDA(cudaEventRecord(stop_, stream.native())); }

double CudaTimer::seconds() const {
  float milliseconds = 0.0f;
  CHIASM_CUDA(cudaEventSynchronize(stop_));
  CHIASM_CUDA(cudaEventElapsedTime(&milliseconds, start_, stop_));
  return 1e-3 * milliseconds;
}

}  // namespace chiasm
