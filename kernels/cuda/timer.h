// SPDX-License-Identifier: Apache-2.0
// CudaTimer: how long the device took for what was enqueued on a stream between start() and stop().
#pragma once

#include "kernels/cuda/stream.h"

struct CUevent_st;

namespace chiasm {

class CudaTimer {
 public:
  explicit CudaTimer(const CudaStream& stream);
  CudaTimer(const CudaTimer&) = delete;
  CudaTimer& operator=(const CudaTimer&) = delete;
  ~CudaTimer();

  void start(const CudaStream& stream);
  void stop(const CudaStream& stream);
  // Waits for stop(). REQUIRES: both were called. Resolution is about a microsecond.
  double seconds() const;

 private:
  CUevent_st* start_ = nullptr;
  CUevent_st* stop_ = nullptr;
};

}  // namespace chiasm
