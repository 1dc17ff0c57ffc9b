// SPDX-License-Identifier: Apache-2.0
// Convolution by oneDNN's direct kernels, float32, dense.
#pragma once

#include "kernels/convolution/geometry.h"
#include "kernels/stream.h"

namespace chiasm {

// Whether oneDNN has direct kernels for this pass. A deterministic stream cuts the batch into pieces that do not depend
// on the number of threads, which gives no sum over the batch: the weight gradient is not available then.
bool has_direct(const CpuStream& stream, ConvPass pass, const ConvGeometry& geometry);

// REQUIRES for both: has_direct.
std::int64_t direct_workspace_bytes(const CpuStream& stream, ConvPass pass, const ConvGeometry& geometry);
void direct_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& geometry, const float* a,
                        const float* b, float* result, std::byte* workspace);

}  // namespace chiasm
