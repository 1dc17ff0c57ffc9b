// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/blas.h"

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <string>

#include "kernels/vendor/library_threads.h"

namespace chiasm {
namespace {

// Blocks of C in deterministic mode: enough for many cores, and none so small that handing it out costs more than it
// saves.
constexpr std::int64_t kMaxBlocks = 32;
constexpr std::int64_t kMinBlockFlops = 1 << 20;
constexpr std::int64_t kBlockMultiple = 16;  // a multiple of OpenBLAS's register tiles

blasint to_blas(std::int64_t size) {
  if (size > std::numeric_limits<blasint>::max()) {
    throw InternalError("a matrix side of " + std::to_string(size) + " is beyond what BLAS addresses");
  }
  return static_cast<blasint>(size);
}

void call(std::int64_t m, std::int64_t n, std::int64_t k, const Factor& a, const Factor& b, float beta, float* c,
          std::int64_t c_stride) {
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
              to_blas(m), to_blas(n), to_blas(k), 1.0f, a.data, to_blas(a.stride), b.data, to_blas(b.stride), beta, c,
              to_blas(c_stride));
}

void call_in_blocks(const CpuStream& stream, std::int64_t m, std::int64_t n, std::int64_t k, const Factor& a,
                    const Factor& b, float beta, float* c, std::int64_t c_stride) {
  const std::int64_t side = std::max(m, n);
  const std::int64_t wanted = std::clamp<std::int64_t>(2 * m * n * k / kMinBlockFlops, 1, kMaxBlocks);
  const std::int64_t per_block = (side + wanted - 1) / wanted;
  const std::int64_t block = (per_block + kBlockMultiple - 1) / kBlockMultiple * kBlockMultiple;
  stream.parallel_tasks((side + block - 1) / block, [&](std::int64_t i) {
    const std::int64_t begin = i * block;
    const std::int64_t count = std::min(block, side - begin);
    if (m >= n) {
      Factor rows = a;
      rows.data += a.transposed ? begin : begin * a.stride;
      call(count, n, k, rows, b, beta, c + begin * c_stride, c_stride);
    } else {
      Factor columns = b;
      columns.data += b.transposed ? begin * b.stride : begin;
      call(m, count, k, a, columns, beta, c + begin, c_stride);
    }
  });
}

}  // namespace

void sgemm(const CpuStream& stream, std::int64_t m, std::int64_t n, std::int64_t k, Factor a, Factor b, float beta,
           float* c, std::int64_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t i = 0; beta == 0.0f && i < m; ++i) std::fill_n(c + i * c_stride, n, 0.0f);
    return;
  }
  if (stream.deterministic()) {
    call_in_blocks(stream, m, n, k, a, b, beta, c, c_stride);
  } else {
    const LibraryThreads threads(stream.threads());
    call(m, n, k, a, b, beta, c, c_stride);
  }
}

}  // namespace chiasm
