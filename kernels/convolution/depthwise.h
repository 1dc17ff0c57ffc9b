// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution (one channel in, one out, per group), float32, dense. Channels lie innermost, so a vector holds
// eight channels of one pixel and no sum crosses its lanes.
//
// Work is cut into (image, block of 16 channels). For each, the rows that a strip of output rows needs are packed into
// a zero-padded plane of eight-channel pixels that stays in the first cache; the inner loops then have no edges. Each
// element of a result is summed in one order whatever the number of threads.
#pragma once

#include "kernels/convolution/geometry.h"
#include "kernels/stream.h"

namespace chiasm {

std::int64_t depthwise_workspace_bytes(const CpuStream& stream, ConvPass pass, const ConvGeometry& geometry);

// REQUIRES: geometry.depthwise(), operands as ConvPass says, `workspace` of the size above, 64-byte aligned.
void depthwise_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& geometry, const float* a,
                           const float* b, float* result, std::byte* workspace);

}  // namespace chiasm
