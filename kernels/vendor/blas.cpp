// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/blas.h"

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <string>

#include "kernels/vendor/library_threads.h"
#include "kernels/vendor/onednn_product.h"

namespace chiasm {
namespace {

// C is cut into blocks that are computed on one thread each. A library's own threads wait for each other at every slice
// of k, which made a step of a small network on two cores slower than on one. None is so small that handing it out
// costs more than it saves. In deterministic mode their number does not depend on the threads and is enough for many
// cores.
constexpr std::int64_t kDeterministicBlocks = 16;
constexpr std::int64_t kBlocksPerThread = 2;
constexpr std::int64_t kMinBlockFlops = 1 << 21;
constexpr std::int64_t kBlockMultiple = 16;  // a multiple of the libraries' register tiles

blasint to_blas(std::int64_t size) {
  if (size > std::numeric_limits<blasint>::max()) {
    throw InternalError("a matrix side of " + std::to_string(size) + " is beyond what BLAS addresses");
  }
  return static_cast<blasint>(size);
}

CBLAS_TRANSPOSE transposition(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

// On the calling thread.
void call(std::int64_t m, std::int64_t n, std::int64_t k, const Factor<double>& a, const Factor<double>& b, double beta,
          double* c, std::int64_t c_stride) {
  const LibraryThreads one(1);
  cblas_dgemm(CblasRowMajor, transposition(a.transposed), transposition(b.transposed), to_blas(m), to_blas(n),
              to_blas(k), 1.0, a.data, to_blas(a.stride), b.data, to_blas(b.stride), beta, c, to_blas(c_stride));
}
void call(std::int64_t m, std::int64_t n, std::int64_t k, const Factor<float>& a, const Factor<float>& b, float beta,
          float* c, std::int64_t c_stride) {
  onednn_product(m, n, k, a, b, beta, c, c_stride);
}

std::int64_t blocks_along(std::int64_t side, std::int64_t block) { return (side + block - 1) / block; }

template <class T>
void call_in_blocks(const CpuStream& stream, std::int64_t m, std::int64_t n, std::int64_t k, const Factor<T>& a,
                    const Factor<T>& b, T beta, T* c, std::int64_t c_stride) {
  // Each block packs its rows of A and columns of B again: nearly square blocks do so least.
  const std::int64_t most = stream.deterministic() ? kDeterministicBlocks : kBlocksPerThread * stream.threads();
  const std::int64_t wanted = std::clamp<std::int64_t>(2 * m * n * k / kMinBlockFlops, 1, most);
  std::int64_t rows = m, columns = n;
  while (blocks_along(m, rows) * blocks_along(n, columns) < wanted && std::max(rows, columns) > kBlockMultiple) {
    std::int64_t& longer = rows > columns ? rows : columns;
    longer = blocks_along((longer + 1) / 2, kBlockMultiple) * kBlockMultiple;
  }
  const std::int64_t across = blocks_along(n, columns);
  stream.parallel_tasks(blocks_along(m, rows) * across, [&](std::int64_t block) {
    const std::int64_t i = block / across * rows, j = block % across * columns;
    Factor<T> block_a = a, block_b = b;
    block_a.data += a.transposed ? i : i * a.stride;
    block_b.data += b.transposed ? j * b.stride : j;
    call(std::min(rows, m - i), std::min(columns, n - j), k, block_a, block_b, beta, c + i * c_stride + j, c_stride);
  });
}

}  // namespace

template <class T>
void gemm(const CpuStream& stream, std::int64_t m, std::int64_t n, std::int64_t k, Factor<std::type_identity_t<T>> a,
          Factor<std::type_identity_t<T>> b, std::type_identity_t<T> beta, T* c, std::int64_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t i = 0; beta == T{0} && i < m; ++i) std::fill_n(c + i * c_stride, n, T{0});
    return;
  }
  if (stream.threads() == 1 && !stream.deterministic()) {
    call(m, n, k, a, b, beta, c, c_stride);
  } else {
    call_in_blocks(stream, m, n, k, a, b, beta, c, c_stride);
  }
}

template void gemm(const CpuStream&, std::int64_t, std::int64_t, std::int64_t, Factor<float>, Factor<float>, float,
                   float*, std::int64_t);
template void gemm(const CpuStream&, std::int64_t, std::int64_t, std::int64_t, Factor<double>, Factor<double>, double,
                   double*, std::int64_t);

}  // namespace chiasm
