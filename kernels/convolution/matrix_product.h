// SPDX-License-Identifier: Apache-2.0
// Convolution as a matrix product, float32: the patches under the windows of some images are gathered into a matrix
// [windows, taps * channels], and our kernel layout kh x kw x Cin x Cout is the other factor as it lies. Best where the
// image is small beside the kernel matrix, and the way to any shape for which oneDNN has no fast code. A 1x1
// convolution of stride 1 needs no gathering. Deterministic whenever sgemm is.
#pragma once

#include "kernels/convolution/geometry.h"
#include "kernels/stream.h"

namespace chiasm {

std::int64_t matrix_product_workspace_bytes(const ConvGeometry& geometry);

// REQUIRES: dense operands as ConvPass says; `workspace` of the size above.
void matrix_product_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& geometry, const float* a,
                                const float* b, float* result, std::byte* workspace);

}  // namespace chiasm
