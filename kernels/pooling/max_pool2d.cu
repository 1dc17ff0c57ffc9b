// SPDX-License-Identifier: Apache-2.0
// Mapping: a thread owns four neighbouring channels of a pixel: forward of an output, whose window it scans; backward
// of an input, which gathers dy from the windows that cover it where it is their first maximum. The pixels before it in
// a window are looked at only where it equals the maximum, and no further than the first that does too. Memory traffic:
// forward reads x and writes y; backward reads x, y and dy and writes dx. Where windows overlap, the repeated reads
// come from the caches.
#include "kernels/cuda/row_map.cuh"
#include "kernels/pooling/max_pool2d.h"
#include "kernels/pooling/pool_window.h"

namespace chiasm {
namespace {

__device__ PixelRange rows_of(const Window2d& g, std::int64_t i) {
  return inside(i, g.stride.h, g.top, g.kernel.h, g.in.h);
}
__device__ PixelRange columns_of(const Window2d& g, std::int64_t j) {
  return inside(j, g.stride.w, g.left, g.kernel.w, g.in.w);
}

// NaN wins.
__device__ float larger(float a, float b) { return b > a || b != b ? b : a; }
__device__ bool same_value(float a, float b) { return a == b || (a != a && b != b); }

__global__ void __launch_bounds__(RowTiles::kThreads)
    max_pool2d_kernel(Window2d g, RowTiles tiles, bool aligned, const float* x, float* y) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t channels = tiles.columns;
  const std::int64_t channel =
      (blockIdx.x % tiles.column_blocks * tiles.column_threads + thread % tiles.column_threads) * 4;
  const std::int64_t count = channels - channel;  // of this thread, where below four
  if (count <= 0) return;
  const std::int64_t first = blockIdx.x / tiles.column_blocks * tiles.block_rows;
  const std::int64_t end = min(tiles.rows, first + tiles.block_rows);
  for (std::int64_t pixel = first + thread / tiles.column_threads; pixel < end; pixel += tiles.row_threads()) {
    const std::int64_t line = pixel / g.out.w, n = line / g.out.h;
    const PixelRange rows = rows_of(g, line - n * g.out.h), columns = columns_of(g, pixel - line * g.out.w);
    const float* image = x + n * g.in.h * g.in.w * channels + channel;
    Float4 largest = load_pack<4>(image + (rows.first * g.in.w + columns.first) * channels, count, aligned);
    for (std::int64_t h = rows.first; h < rows.last; ++h) {
#pragma unroll 4
      for (std::int64_t w = columns.first; w < columns.last; ++w) {
        const Float4 value = load_pack<4>(image + (h * g.in.w + w) * channels, count, aligned);
#pragma unroll
        for (int e = 0; e < 4; ++e) largest.value[e] = larger(largest.value[e], value.value[e]);
      }
    }
    store_pack(y + pixel * channels + channel, largest, count, aligned);
  }
}

__global__ void __launch_bounds__(RowTiles::kThreads)
    max_pool2d_gradient_kernel(Window2d g, RowTiles tiles, bool aligned, const float* x, const float* y,
                               const float* dy, float* dx) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t channels = tiles.columns;
  const std::int64_t channel =
      (blockIdx.x % tiles.column_blocks * tiles.column_threads + thread % tiles.column_threads) * 4;
  const std::int64_t count = channels - channel;  // of this thread, where below four
  if (count <= 0) return;
  const std::int64_t first = blockIdx.x / tiles.column_blocks * tiles.block_rows;
  const std::int64_t end = min(tiles.rows, first + tiles.block_rows);
  for (std::int64_t pixel = first + thread / tiles.column_threads; pixel < end; pixel += tiles.row_threads()) {
    const std::int64_t line = pixel / g.in.w, n = line / g.in.h;
    const std::int64_t h = line - n * g.in.h, w = pixel - line * g.in.w;
    const float* image = x + n * g.in.h * g.in.w * channels + channel;
    const std::int64_t windows = n * g.out.h * g.out.w * channels + channel;
    const Float4 own = load_pack<4>(image + (h * g.in.w + w) * channels, count, aligned);
    const PixelRange over_h = covering(h, g.stride.h, g.top, g.kernel.h, g.out.h);
    const PixelRange over_w = covering(w, g.stride.w, g.left, g.kernel.w, g.out.w);
    Float4 sum = {};
    for (std::int64_t i = over_h.first; i < over_h.last; ++i) {
      for (std::int64_t j = over_w.first; j < over_w.last; ++j) {
        const std::int64_t at = windows + (i * g.out.w + j) * channels;
        const Float4 largest = load_pack<4>(y + at, count, aligned);
        const Float4 gradient = load_pack<4>(dy + at, count, aligned);
        bool chosen[4], any = false;
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          chosen[e] = e < count && same_value(own.value[e], largest.value[e]);
          any = any || chosen[e];
        }
        const PixelRange columns = columns_of(g, j);
        for (std::int64_t a = rows_of(g, i).first; a <= h && any; ++a) {
          const std::int64_t last = a == h ? w : columns.last;
          for (std::int64_t b = columns.first; b < last && any; ++b) {
            const Float4 before = load_pack<4>(image + (a * g.in.w + b) * channels, count, aligned);
            any = false;
#pragma unroll
            for (int e = 0; e < 4; ++e) {
              chosen[e] = chosen[e] && !same_value(before.value[e], largest.value[e]);
              any = any || chosen[e];
            }
          }
        }
#pragma unroll
        for (int e = 0; e < 4; ++e) sum.value[e] += chosen[e] ? gradient.value[e] : 0.0f;
      }
    }
    store_pack(dx + pixel * channels + channel, sum, count, aligned);
  }
}

}  // namespace

void MaxPool2d::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  if (out[0].elements() == 0) return;
  const Window2d g = resolve_pool(kName, padding, in[0].shape(), window, stride);
  const std::int64_t channels = in[0].shape()[3];
  const RowTiles tiles(out[0].elements() / channels, channels);
  const float* x = in[0].as<float>();
  float* y = out[0].as<float>();
  const bool aligned = channels % 4 == 0 && is_aligned16(x) && is_aligned16(y);
  CHIASM_LAUNCH(stream, max_pool2d_kernel, tiles.grid(), RowTiles::kThreads, 0, g, tiles, aligned, x, y);
}

void MaxPool2d::backward(CudaStream& stream, int, Inputs in, Inputs out, View dy, MutableView dx) const {
  require_cuda_views(kName, in, Outputs(&dx, 1));
  if (dx.elements() == 0) return;
  const Window2d g = resolve_pool(kName, padding, in[0].shape(), window, stride);
  const std::int64_t channels = dx.shape()[3];
  const RowTiles tiles(dx.elements() / channels, channels);
  const float *x = in[0].as<float>(), *y = out[0].as<float>(), *from = dy.as<float>();
  float* to = dx.as<float>();
  const bool aligned =
      channels % 4 == 0 && is_aligned16(x) && is_aligned16(y) && is_aligned16(from) && is_aligned16(to);
  CHIASM_LAUNCH(stream, max_pool2d_gradient_kernel, tiles.grid(), RowTiles::kThreads, 0, g, tiles, aligned, x, y, from,
                to);
}

}  // namespace chiasm
