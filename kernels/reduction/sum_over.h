// SPDX-License-Identifier: Apache-2.0
// What Sum, Mean and SumTo share: the sum over some axes, and its gradient.
#pragma once

#include "kernels/reduction/axes.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace chiasm {

// y[k] = scale * sum of x[i] over the reduced axes, which y has dropped or kept as size 1. One floating type for both,
// any strides. Needs sum_over_workspace_bytes.
void sum_over(const CpuStream& stream, const View& x, AxisMask reduced, double scale, const MutableView& y);
std::int64_t sum_over_workspace_bytes(const Spec& x, AxisMask reduced);

// dx[i] = scale * dy[k] for every element i that went into sum k.
void spread_over(const CpuStream& stream, const View& dy, AxisMask reduced, double scale, const MutableView& dx);

// The same on CUDA. REQUIRES: dense float32 tensors.
void sum_over(const CudaStream& stream, const View& x, AxisMask reduced, double scale, const MutableView& y);
std::int64_t sum_over_workspace_bytes(const CudaStream& stream, const Spec& x, AxisMask reduced);
void spread_over(const CudaStream& stream, const View& dy, AxisMask reduced, double scale, const MutableView& dx);

}  // namespace chiasm
