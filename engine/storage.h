// SPDX-License-Identifier: Apache-2.0
// Storage: the memory of a tensor: on the host and, once a program on a CUDA device has asked, a copy there. The two
// are kept alike by copying the newer one when the other is read, so whoever reads a tensor sees what was written last,
// wherever that was. Threads may ask for the host's memory at the same time; a program that runs on a device with it,
// or ends, has it for itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "kernels/cuda/memory.h"

namespace chiasm {

class Storage {
 public:
  // 64-byte aligned, filled with zeros. Throws SystemError, with `what` it was for, when memory runs out.
  Storage(std::int64_t bytes, const char* what);
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage();

  const void* for_reading() {
    if (!host_is_current_.load(std::memory_order_acquire)) fetch();
    return host_;
  }
  void* for_writing() {
    for_reading();
    device_is_current_.store(false, std::memory_order_relaxed);
    return host_;
  }

  // The copy on the device of `stream`, up to date for work that is enqueued there next. Its address stays the same as
  // long as that device asks.
  std::byte* on_device(const std::shared_ptr<const CudaStream>& stream);
  // Whether the copy holds what the host holds, or something newer.
  bool device_is_current() const { return device_is_current_; }
  // Work on the stream that last asked has written the copy. REQUIRES: on_device() was called.
  void written_on_device() {
    host_is_current_ = false;
    device_is_current_ = true;
  }

 private:
  void fetch();

  std::int64_t bytes_;
  void* block_ = nullptr;
  void* host_ = nullptr;
  DeviceMemory device_;
  std::shared_ptr<const CudaStream> user_;  // the stream that last asked for the copy
  std::mutex fetching_;
  std::atomic<bool> host_is_current_ = true;
  std::atomic<bool> device_is_current_ = false;
};

}  // namespace chiasm
