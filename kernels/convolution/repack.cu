// SPDX-License-Identifier: Apache-2.0
// transpose_matrix: a block of 32 x 8 threads moves a tile of 32 x 32 through shared memory, so that both sides are
// read and written along rows; each element is read and written once. place_images: one thread an element of the
// result, channels innermost, read and written once.
#include <cuda_bf16.h>

#include "kernels/convolution/repack.cuh"
#include "kernels/cuda/launch.cuh"

namespace chiasm {
namespace {

constexpr int kTile = 32;
constexpr int kTileRows = 8;
constexpr int kThreads = 256;

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline void store(float value, float* to) { *to = value; }
__device__ inline void store(float value, __nv_bfloat16* to) { *to = __float2bfloat16_rn(value); }

template <class A, class B>
struct Types {
  using From = A;
  using To = B;
};

// Block t moves tile (t / tiles_across, t % tiles_across).
template <class T>
__global__ void transpose_kernel(const typename T::From* from, std::int64_t rows, std::int64_t columns,
                                 std::int64_t tiles_across, typename T::To* to) {
  __shared__ float tile[kTile][kTile + 1];  // one wider than the tile: a column then crosses all banks
  const std::int64_t row0 = static_cast<std::int64_t>(blockIdx.x) / tiles_across * kTile;
  const std::int64_t column0 = static_cast<std::int64_t>(blockIdx.x) % tiles_across * kTile;
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
#pragma unroll
  for (int i = 0; i < kTile; i += kTileRows) {
    const std::int64_t row = row0 + y + i, column = column0 + x;
    if (row < rows && column < columns) tile[y + i][x] = to_float(from[row * columns + column]);
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kTile; i += kTileRows) {
    const std::int64_t row = column0 + y + i, column = row0 + x;  // of the result
    if (row < columns && column < rows) store(tile[x][y + i], to + row * rows + column);
  }
}

template <class T>
__global__ void place_images_kernel(const typename T::From* from, ImagePlacement p, std::int64_t count,
                                    typename T::To* to) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= count) return;
  const std::int64_t c = index % p.channels, pixel = index / p.channels;
  const std::int64_t column = pixel % p.to.w - p.left, row = pixel / p.to.w % p.to.h - p.top;
  const std::int64_t n = pixel / (p.to.w * p.to.h);
  const bool inside = row >= 0 && row < p.from.h && column >= 0 && column < p.from.w;
  store(inside ? to_float(from[((n * p.from.h + row) * p.from.w + column) * p.channels + c]) : 0.0f, to + index);
}

}  // namespace

template <class From, class To>
void transpose_matrix(const CudaStream& stream, const From* from, std::int64_t rows, std::int64_t columns, To* to) {
  using T = Types<From, To>;
  const std::int64_t across = (columns + kTile - 1) / kTile, down = (rows + kTile - 1) / kTile;
  CHIASM_LAUNCH(stream, transpose_kernel<T>, blocks_for(across * down, 1), dim3(kTile, kTileRows), 0, from, rows,
                columns, across, to);
}

template <class From, class To>
void place_images(const CudaStream& stream, const ImagePlacement& placement, const From* from, To* to) {
  using T = Types<From, To>;
  const std::int64_t count = placement.batch * placement.to.h * placement.to.w * placement.channels;
  CHIASM_LAUNCH(stream, place_images_kernel<T>, blocks_for(count, kThreads), kThreads, 0, from, placement, count, to);
}

template void transpose_matrix(const CudaStream&, const float*, std::int64_t, std::int64_t, float*);
template void transpose_matrix(const CudaStream&, const float*, std::int64_t, std::int64_t, __nv_bfloat16*);
template void transpose_matrix(const CudaStream&, const __nv_bfloat16*, std::int64_t, std::int64_t, float*);
template void place_images(const CudaStream&, const ImagePlacement&, const float*, float*);
template void place_images(const CudaStream&, const ImagePlacement&, const float*, __nv_bfloat16*);
template void place_images(const CudaStream&, const ImagePlacement&, const __nv_bfloat16*, float*);

}  // namespace chiasm
