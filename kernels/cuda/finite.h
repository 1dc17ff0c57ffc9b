// SPDX-License-Identifier: Apache-2.0
// Looking for NaN and infinity on a device, in many tensors at once.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/stream.h"
#include "kernels/view.h"

namespace chiasm {

// Enqueues work that sets `*flag`, an int32 on the device, to 1 where an element of a tensor is not finite, and leaves
// it alone otherwise. Integer tensors are finite. REQUIRES: dense float32 or integer tensors on the stream's device.
void flag_nonfinite(const CudaStream& stream, std::span<const View> tensors, std::int32_t* flag);

}  // namespace chiasm
