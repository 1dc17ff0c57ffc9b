// SPDX-License-Identifier: Apache-2.0
// The float32 matrix product, through OpenBLAS.
#pragma once

#include <cstdint>

#include "kernels/stream.h"

namespace chiasm {

// A row-major matrix as a factor: `stride` elements lie between rows; with `transposed`, the factor is its transpose.
struct Factor {
  const float* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
};

// C [m, n] = A [m, k] * B [k, n] + beta * C, beta 0 or 1; with 0, C is not read. C is row-major with `c_stride` between
// rows. A deterministic stream gets the same bits for any number of threads: C is cut into blocks that depend on the
// sizes alone, each computed by one thread.
void sgemm(const CpuStream& stream, std::int64_t m, std::int64_t n, std::int64_t k, Factor a, Factor b, float beta,
           float* c, std::int64_t c_stride);

}  // namespace chiasm
