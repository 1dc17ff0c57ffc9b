// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution on CUDA: one input channel and `out_channels / in_channels` output channels per group, any
// kernel, stride, dilation and padding; float32. No library takes part, and every sum has a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/convolution/geometry.h"
#include "kernels/cuda/stream.h"

namespace chiasm {

std::int64_t depthwise_workspace_bytes(ConvPass pass, const ConvGeometry& geometry);

// REQUIRES: geometry.groups == geometry.in_channels, dense operands as ConvPass says, `workspace` of the size above.
void depthwise_convolution(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry, const float* a,
                           const float* b, float* result, std::byte* workspace);

}  // namespace chiasm
