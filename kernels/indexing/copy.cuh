// SPDX-License-Identifier: Apache-2.0
// Moving elements on CUDA: what the ops of this folder are made of. Views may be strided here, as parts of dense
// tensors are. Elements of any type are moved as words of 1, 4, 8 or 16 bytes, the widest that the innermost runs, the
// strides and the addresses allow. Nothing is launched for no elements.
#pragma once

#include <span>

#include "kernels/cuda/stream.h"
#include "kernels/op.h"

namespace chiasm {

// to[i] = from[i] for every index of their common shape; `from` may be broadcast (stride zero). One piece of memory is
// copied as such, and not at all onto itself; a transpose goes through tiles in shared memory.
// REQUIRES: equal specs, no overlap otherwise.
void copy_elements(const CudaStream& stream, const View& from, const MutableView& to);

// to[i] = value, converted to the element type. REQUIRES: `to` is dense.
void fill_elements(const CudaStream& stream, const MutableView& to, double value);

// to = `from` in the box that begins at `starts`, and `value` outside, in one launch. REQUIRES: both are dense.
void place_elements(const CudaStream& stream, const View& from, const MutableView& to,
                    std::span<const std::int64_t> starts, double value);

}  // namespace chiasm
