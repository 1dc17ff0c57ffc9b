// SPDX-License-Identifier: Apache-2.0
// Storage: the memory of a tensor: on the host and, once a program on a CUDA device has asked, a copy there. The two
// are kept alike by copying the newer one when the other is read, so whoever reads a tensor sees what was written last,
// wherever that was. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

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
    if (!host_is_current_) fetch();
    return host_;
  }
  void* for_writing() {
    if (!host_is_current_) fetch();
    device_is_current_ = false;
    return host_;
  }

  // The copy on the device of `stream`, up to date for work that is enqueued there next. Its address stays the same as
  // long as that device asks.
  std::byte* on_device(const std::shared_ptr<const CudaStream>& stream);
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
  bool host_is_current_ = true;
  bool device_is_current_ = false;
};

}  // namespace chiasm
