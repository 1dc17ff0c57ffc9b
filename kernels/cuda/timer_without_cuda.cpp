// SPDX-License-Identifier: Apache-2.0
// Never reached: a build without CUDA has no stream to time.
#include "kernels/cuda/timer.h"
#include "kernels/error.h"

namespace chiasm {

CudaTimer::CudaTimer(const CudaStream&) { throw InternalError("a timer of CUDA in a build without it"); }
CudaTimer::~CudaTimer() = default;
void CudaTimer::start(const CudaStream&) {}
void CudaTimer::stop(const CudaStream&) {}
double CudaTimer::seconds() const { return 0.0; }

}  // namespace chiasm
