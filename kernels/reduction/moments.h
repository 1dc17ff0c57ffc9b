// SPDX-License-Identifier: Apache-2.0
// Mean and sum of squares of a dense float32 tensor over any axes, without cancellation.
#pragma once

#include <cstdint>

#include "kernels/reduction/axes.h"
#include "kernels/stream.h"

namespace chiasm {

// A mean as an unevaluated sum: `near` is the mean rounded to float, `rest` what that left out, so that
// (x - near) - rest keeps its digits when the mean is far larger than the spread.
struct MeanParts {
  float* near;
  float* rest;
};

// Fills both parts for every output of the reduction, and squares[k] = sum of (x - mean)^2 unless it is null.
// `workspace` holds moments_workspace_bytes. REQUIRES: something to average.
void moments(const CpuStream& stream, const float* x, const Shape& shape, AxisMask reduced, void* workspace,
             MeanParts mean, float* squares);
std::int64_t moments_workspace_bytes(const Shape& shape, AxisMask reduced);

}  // namespace chiasm
