// SPDX-License-Identifier: Apache-2.0
// Computes one pass of a convolution, choosing how: the op structs (Conv2d, ConvTranspose2d) say what, this says by
// which code.
#pragma once

#include "kernels/convolution/geometry.h"
#include "kernels/stream.h"

namespace chiasm {

enum class ConvMethod : std::uint8_t {
  kReference,      // loops over strided views
  kDepthwise,      // own vectorised kernels, channels innermost
  kMatrixProduct,  // patches gathered into a matrix, then sgemm
  kOneDnn,         // direct convolution with weights reordered for it
};

// For dense views; others take the reference.
ConvMethod choose_method(const CpuStream& stream, ConvPass pass, DType dtype, const ConvGeometry& geometry);

std::int64_t conv_workspace_bytes(const CpuStream& stream, ConvPass pass, DType dtype, const ConvGeometry& geometry);

// REQUIRES: operands and result as ConvPass says, all of one floating type; the stream's workspace as declared above.
void run_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& geometry, const View& a, const View& b,
                     const MutableView& result);

}  // namespace chiasm
