// SPDX-License-Identifier: Apache-2.0
// CudaStream: where CUDA kernels run. It is a stream of a device with the handles of the vendor libraries, and it lends
// the scratch memory that an op declared. No CUDA header is needed to hold one; a build without CUDA has none to hold.
//
// Work is enqueued and not waited for. One stream is used by one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <typeindex>

struct CUstream_st;
struct cublasLtContext;
struct cudnnContext;

namespace chiasm {

// The arithmetic of convolutions and matrix products. Everything else computes in float32, and every sum is accumulated
// in float32.
enum class CudaMath : std::uint8_t {
  kFloat32,
  kTf32,      // factors rounded to 11 significant bits
  kBfloat16,  // factors rounded to 8 significant bits
};

struct CudaStreamOptions {
  int device = 0;
  bool deterministic = false;  // only library engines that give the same bits on every run
  CudaMath math = CudaMath::kFloat32;
};

class CudaStream {
 public:
  // Throws InputError when there is no such device, naming those that exist, and DeviceError when CUDA fails.
  explicit CudaStream(const CudaStreamOptions& options = {});
  // Another stream of the same device that shares this one's handles and caches: for work that runs beside it.
  CudaStream branch() const;
  CudaStream(CudaStream&&) noexcept;
  CudaStream& operator=(CudaStream&&) noexcept;
  ~CudaStream();

  int device() const;
  bool deterministic() const;
  CudaMath math() const;
  int multiprocessors() const;

  // Makes its device the calling thread's current one, as every call on a thread of its own must first.
  void make_current() const;

  CUstream_st* native() const { return stream_; }  // a cudaStream_t
  // The libraries' handles, made when first asked for. Calls on cudnn() go to this stream.
  cublasLtContext* cublas_lt() const;
  cudnnContext* cudnn() const;

  // Waits for everything enqueued here. Throws DeviceError for what failed since the last wait.
  void synchronize() const;

  // Scratch memory of the running op on the device, 64-byte aligned. Its content is arbitrary on entry.
  // REQUIRES: the op declared at least `bytes`.
  std::byte* workspace(std::int64_t bytes) const;
  void lend_workspace(std::span<std::byte> bytes) { workspace_ = bytes; }

  // The one `Cache` (default-constructible) of this stream and its branches, such as the plans of a library by shape.
  template <class Cache>
  Cache& cache() const {
    std::shared_ptr<void>& kept = cache_slot(typeid(Cache));
    if (!kept) kept = std::make_shared<Cache>();
    return *static_cast<Cache*>(kept.get());
  }

 private:
  struct Context;
  explicit CudaStream(std::shared_ptr<Context> context);
  std::shared_ptr<void>& cache_slot(std::type_index type) const;

  std::shared_ptr<Context> context_;
  CUstream_st* stream_ = nullptr;
  std::span<std::byte> workspace_;
};

}  // namespace chiasm
