// SPDX-License-Identifier: Apache-2.0
// DeviceCopy: a copy of a host tensor in device memory, for tests that call an op in ways that run_op_on_cuda does
// not: several ops at once, or results over the memory of an input.
#pragma once

#include <cstring>

#include "kernels/cuda/memory.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {

class DeviceCopy {
 public:
  // REQUIRES: `host` is dense. With `misaligned`, it begins one element after a 16-byte boundary.
  DeviceCopy(const CudaStream& stream, const View& host, bool misaligned = false)
      : spec_(host.spec()),
        offset_(misaligned ? static_cast<std::int64_t>(size_of(spec_.dtype)) : 0),
        memory_(stream, offset_ + spec_.bytes()) {
    copy_to_device(stream, memory_.data() + offset_, host.data(), spec_.bytes());
    stream.synchronize();
  }
  MutableView view() const { return MutableView(memory_.data() + offset_, spec_); }
  // Waits for the stream.
  Buffer on_host(const CudaStream& stream) const {
    Buffer host(spec_);
    copy_to_host(stream, host.view().data(), memory_.data() + offset_, spec_.bytes());
    stream.synchronize();
    return host;
  }

 private:
  Spec spec_;
  std::int64_t offset_;
  DeviceMemory memory_;
};

}  // namespace chiasm::test
