// SPDX-License-Identifier: Apache-2.0
// The matrix product: in float32 through oneDNN, which generates code for the processor it finds; in float64 through
// OpenBLAS, which chooses among kernels that were compiled for the processors it knew (startup.h).
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/stream.h"

namespace chiasm {

// A row-major matrix as a factor: `stride` elements lie between rows; with `transposed`, the factor is its transpose.
template <class T>
struct Factor {
  const T* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
};

// C [m, n] = A [m, k] * B [k, n] + beta * C, beta 0 or 1; with 0, C is not read. C is row-major with `c_stride` between
// rows. A deterministic stream gets the same bits for any number of threads: C is cut into blocks that depend on the
// sizes alone, each computed by one thread. T is float or double.
template <class T>
void gemm(const CpuStream& stream, std::int64_t m, std::int64_t n, std::int64_t k, Factor<std::type_identity_t<T>> a,
          Factor<std::type_identity_t<T>> b, std::type_identity_t<T> beta, T* c, std::int64_t c_stride);

extern template void gemm(const CpuStream&, std::int64_t, std::int64_t, std::int64_t, Factor<float>, Factor<float>,
                          float, float*, std::int64_t);
extern template void gemm(const CpuStream&, std::int64_t, std::int64_t, std::int64_t, Factor<double>, Factor<double>,
                          double, double*, std::int64_t);

}  // namespace chiasm
