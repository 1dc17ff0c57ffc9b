// SPDX-License-Identifier: Apache-2.0
// Computes one pass of a convolution on CUDA, choosing how; kernels/convolution/passes.h is the CPU's choice.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/convolution/geometry.h"
#include "kernels/cuda/stream.h"
#include "kernels/view.h"

namespace chiasm {

enum class CudaConvMethod : std::uint8_t {
  kDepthwise,   // own kernels, float32 whatever the stream's math: memory bounds them, not arithmetic
  kProduct,     // 1 x 1 of stride 1: a matrix product of the operands as they lie, by cuBLASLt
  kLibrary,     // an engine of cuDNN
  kDefinition,  // own kernels for any shape, where cuDNN has no engine
};

CudaConvMethod choose_method(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry);

std::int64_t conv_workspace_bytes(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry);

// REQUIRES: operands and result as ConvPass says, float32; the stream's workspace as declared above. Throws ShapeError
// naming `op` for views that CUDA kernels do not take.
void run_convolution(const CudaStream& stream, std::string_view op, ConvPass pass, const ConvGeometry& geometry,
                     const View& a, const View& b, const MutableView& result);

}  // namespace chiasm
