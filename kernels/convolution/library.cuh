// SPDX-License-Identifier: Apache-2.0
// A pass of a convolution by cuDNN: brings the operands into the form that an engine takes, and the result into ours.
//
// cuDNN's engines want weights as Cout x kh x kw x Cin/groups where ours are kh x kw x Cin/groups x Cout. A weight is
// transposed into the workspace (and its gradient back), which reads and writes it once: small beside the activations,
// of which there is a batch. In bfloat16, activations are cast into the workspace as well: 6 bytes of traffic for each
// element. Where no engine takes padding that differs on two sides, the image is padded by us.
//
// An engine has no bias or activation to add: our ops have no such input.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/convolution/geometry.h"
#include "kernels/cuda/stream.h"

namespace chiasm {

// Whether some engine computes this pass. Plans it at the first call for a shape, which takes milliseconds.
bool library_has(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry);

// REQUIRES for both: library_has.
std::int64_t library_workspace_bytes(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry);
// Operands as ConvPass says, dense. False, with nothing done, where they begin at addresses that the planned engine
// does not take.
bool library_convolution(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry, const float* a,
                         const float* b, float* result, std::byte* workspace);

// How many shapes this stream context has planned.
std::int64_t planned_convolutions(const CudaStream& stream);

}  // namespace chiasm
