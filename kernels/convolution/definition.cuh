// SPDX-License-Identifier: Apache-2.0
// A convolution as its definition says, on CUDA: for any groups, stride, dilation and padding, at any address. Used
// where no engine of cuDNN takes the shape, and as the reference of the others in tests on a GPU. Float32 throughout;
// each element of a result is summed in one order.
#pragma once

#include "kernels/convolution/geometry.h"
#include "kernels/cuda/stream.h"

namespace chiasm {

// REQUIRES: dense operands as ConvPass says, at least one image.
void convolution_by_definition(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry, const float* a,
                               const float* b, float* result);

}  // namespace chiasm
