// SPDX-License-Identifier: Apache-2.0
// In a build without CUDA no stream can be made, so nothing but the constructor is ever called.
#include "kernels/cuda/device.h"
#include "kernels/cuda/stream.h"
#include "kernels/error.h"

namespace chiasm {

struct CudaStream::Context {};

CudaStream::CudaStream(const CudaStreamOptions&) { throw InputError(cuda_devices().why_none); }
CudaStream::CudaStream(std::shared_ptr<Context>) {}
CudaStream CudaStream::branch() const { return CudaStream(context_); }
CudaStream::CudaStream(CudaStream&&) noexcept = default;
CudaStream& CudaStream::operator=(CudaStream&&) noexcept = default;
CudaStream::~CudaStream() = default;
int CudaStream::device() const { return 0; }
bool CudaStream::deterministic() const { return false; }
CudaMath CudaStream::math() const { return CudaMath::kFloat32; }
int CudaStream::multiprocessors() const { return 0; }
void CudaStream::make_current() const {}
void CudaStream::synchronize() const {}

}  // namespace chiasm
