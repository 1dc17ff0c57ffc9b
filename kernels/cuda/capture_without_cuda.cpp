// SPDX-License-Identifier: Apache-2.0
// Never reached: a build without CUDA has no stream to capture.
#include "kernels/cuda/capture.h"
#include "kernels/error.h"

namespace chiasm {

CudaEvent::CudaEvent(const CudaStream&) { throw InternalError("an event in a build without CUDA"); }
CudaEvent::CudaEvent(CudaEvent&&) noexcept {}
CudaEvent::~CudaEvent() = default;
void CudaEvent::record(const CudaStream&) {}
void CudaEvent::hold_back(const CudaStream&) const {}

CapturedWork::CapturedWork(const CudaStream&, const std::function<void()>&) {
  throw InternalError("capture in a build without CUDA");
}
CapturedWork::CapturedWork(CapturedWork&&) noexcept {}
CapturedWork& CapturedWork::operator=(CapturedWork&&) noexcept { return *this; }
CapturedWork::~CapturedWork() = default;
void CapturedWork::replay(const CudaStream&) const {}

}  // namespace chiasm
