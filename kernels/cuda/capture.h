// SPDX-License-Identifier: Apache-2.0
// CUDA graphs: work that is captured once and replayed, and events, which order work of different streams.
#pragma once

#include <cstddef>
#include <functional>

#include "kernels/cuda/stream.h"

struct CUevent_st;
struct CUgraphExec_st;

namespace chiasm {

class CudaEvent {
 public:
  explicit CudaEvent(const CudaStream& stream);
  CudaEvent(CudaEvent&& other) noexcept;
  CudaEvent& operator=(CudaEvent&&) = delete;
  ~CudaEvent();

  // The event is what was enqueued on `stream` so far.
  void record(const CudaStream& stream);
  // What is enqueued on `stream` from now on runs after the event.
  void hold_back(const CudaStream& stream) const;

 private:
  CUevent_st* event_ = nullptr;
};

class CapturedWork {
 public:
  CapturedWork() = default;
  // Records what `enqueue` puts on `stream`, and on streams that events tie to it, without running it. Throws
  // DeviceError when `enqueue` does what cannot be captured.
  CapturedWork(const CudaStream& stream, const std::function<void()>& enqueue);
  CapturedWork(CapturedWork&& other) noexcept;
  CapturedWork& operator=(CapturedWork&& other) noexcept;
  ~CapturedWork();

  void replay(const CudaStream& stream) const;
  explicit operator bool() const { return work_ != nullptr; }
  std::size_t nodes() const { return nodes_; }  // kernels, copies and fills

 private:
  CUgraphExec_st* work_ = nullptr;
  std::size_t nodes_ = 0;
};

}  // namespace chiasm
