// SPDX-License-Identifier: Apache-2.0
// StreamRef: a borrowed stream of either device, for what only asks how ops behave there.
#pragma once

#include "engine/any_op.h"

namespace chiasm {

class StreamRef {
 public:
  StreamRef(const CpuStream& stream) : cpu_(&stream) {}    // NOLINT(google-explicit-constructor)
  StreamRef(const CudaStream& stream) : cuda_(&stream) {}  // NOLINT(google-explicit-constructor)

  std::int64_t workspace_bytes(const AnyOp& op, std::span<const Spec> in) const {
    return cuda_ != nullptr ? op.workspace_bytes(*cuda_, in) : op.workspace_bytes(*cpu_, in);
  }

 private:
  const CpuStream* cpu_ = nullptr;
  const CudaStream* cuda_ = nullptr;
};

}  // namespace chiasm
