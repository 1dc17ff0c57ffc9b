// SPDX-License-Identifier: Apache-2.0
#include <cublasLt.h>
#include <cudnn.h>

#include <string>
#include <utility>

#include "kernels/cuda/check.cuh"
#include "kernels/cuda/check_vendor.cuh"
#include "kernels/cuda/device.h"
#include "kernels/cuda/stream.h"

namespace chiasm {

struct CudaStream::Context {
  CudaStreamOptions options;
  int multiprocessors = 0;
  cublasLtHandle_t cublas_lt = nullptr;
  cudnnHandle_t cudnn = nullptr;
  std::map<std::type_index, std::shared_ptr<void>> caches;

  ~Context() {
    cudaSetDevice(options.device);
    caches.clear();  // plans go before the handles they were made with
    if (cudnn) cudnnDestroy(cudnn);
    if (cublas_lt) cublasLtDestroy(cublas_lt);
  }
};

namespace {

void require_device(int index) {
  const CudaDevices cuda = cuda_devices();
  if (index >= 0 && index < static_cast<int>(cuda.devices.size())) return;
  std::string known;
  for (const CudaDevice& d : cuda.devices) {
    known += (known.empty() ? "" : ", ") + ("cuda:" + std::to_string(d.index)) + " (" + d.name + ")";
  }
  throw InputError("there is no device cuda:" + std::to_string(index) + "; " +
                   (known.empty() ? "no CUDA device can be used: " + cuda.why_none : "there are: " + known));
}

}  // namespace

CudaStream::CudaStream(const CudaStreamOptions& options) {
  require_device(options.device);
  context_ = std::make_shared<Context>();
  context_->options = options;
  make_current();
  CHIASM_CUDA(cudaDeviceGetAttribute(&context_->multiprocessors, cudaDevAttrMultiProcessorCount, options.device));
  CHIASM_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
}

CudaStream::CudaStream(std::shared_ptr<Context> context) : context_(std::move(context)) {
  make_current();
  CHIASM_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
}

CudaStream CudaStream::branch() const { return CudaStream(context_); }

CudaStream::CudaStream(CudaStream&& other) noexcept
    : context_(std::move(other.context_)),
      stream_(std::exchange(other.stream_, nullptr)),
      workspace_(std::exchange(other.workspace_, {})) {}

CudaStream& CudaStream::operator=(CudaStream&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(stream_, other.stream_);
  std::swap(workspace_, other.workspace_);
  return *this;
}

CudaStream::~CudaStream() {
  if (stream_ == nullptr) return;
  cudaSetDevice(context_->options.device);
  cudaStreamDestroy(stream_);
}

int CudaStream::device() const { return context_->options.device; }
bool CudaStream::deterministic() const { return context_->options.deterministic; }
CudaMath CudaStream::math() const { return context_->options.math; }
int CudaStream::multiprocessors() const { return context_->multiprocessors; }

void CudaStream::make_current() const { CHIASM_CUDA(cudaSetDevice(context_->options.device)); }

cublasLtContext* CudaStream::cublas_lt() const {
  if (!context_->cublas_lt) CHIASM_CUBLAS(cublasLtCreate(&context_->cublas_lt));
  return context_->cublas_lt;
}

cudnnContext* CudaStream::cudnn() const {
  if (!context_->cudnn) CHIASM_CUDNN(cudnnCreate(&context_->cudnn));
  CHIASM_CUDNN(cudnnSetStream(context_->cudnn, stream_));
  return context_->cudnn;
}

void CudaStream::synchronize() const { CHIASM_CUDA(cudaStreamSynchronize(stream_)); }

std::byte* CudaStream::workspace(std::int64_t bytes) const {
  if (bytes > static_cast<std::int64_t>(workspace_.size())) {
    throw InternalError("an op asked for " + std::to_string(bytes) + " bytes of workspace and declared " +
                        std::to_string(workspace_.size()));
  }
  return workspace_.data();
}

std::shared_ptr<void>& CudaStream::cache_slot(std::type_index type) const { return context_->caches[type]; }

}  // namespace chiasm
