// SPDX-License-Identifier: Apache-2.0
// The weight gradient of kernels/convolution/depthwise.cuh.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/convolution/geometry.h"
#include "kernels/cuda/stream.h"

namespace chiasm {

std::int64_t depthwise_weight_gradient_workspace_bytes(const ConvGeometry& geometry);

// REQUIRES: as depthwise_convolution.
void depthwise_weight_gradient(const CudaStream& stream, const ConvGeometry& geometry, const float* x, const float* dy,
                               float* dw, std::byte* workspace);

}  // namespace chiasm
