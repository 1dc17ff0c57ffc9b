// SPDX-License-Identifier: Apache-2.0
// Rounds float32 tensors to bfloat16 (to nearest, ties to even) and back, for libraries that multiply in it.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/cuda/stream.h"

namespace chiasm {

// Elements of a row that starts at a multiple of 16 bytes: what `columns` is rounded up to.
constexpr std::int64_t bfloat16_pitch(std::int64_t columns) { return (columns + 7) / 8 * 8; }

// to[rows, bfloat16_pitch(columns)] = from[rows, columns], zeros behind each row. REQUIRES: `to` is 16-byte aligned.
void cast_to_bfloat16(const CudaStream& stream, const float* from, std::int64_t rows, std::int64_t columns,
                      __nv_bfloat16* to);

// REQUIRES: `from` is 16-byte aligned.
void cast_from_bfloat16(const CudaStream& stream, const __nv_bfloat16* from, std::int64_t count, float* to);

}  // namespace chiasm
