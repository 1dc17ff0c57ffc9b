// SPDX-License-Identifier: Apache-2.0
// What averaging pools do in both directions: every pixel of the result is a weighted sum over a box of pixels of the
// source, channel by channel. Forward the box is the window; backward it is the windows that cover the pixel.
//
// Mapping: a thread owns four neighbouring channels of a pixel of the result. Memory traffic: the source is read and
// the result written once, 16 bytes at a time where addresses allow; where boxes overlap, the repeated reads come from
// the caches. Rows of a box are summed first, so that the longest serial sum is a side of the box.
//
//   struct Example {
//     Size2d from, to;                                                   // of an image
//     __device__ PixelRange rows(std::int64_t i) const;                  // of the source, for row i of the result
//     __device__ PixelRange columns(std::int64_t j) const;
//     __device__ float source_weight(std::int64_t h, std::int64_t w) const;
//     __device__ float result_weight(std::int64_t i, std::int64_t j) const;
//   };
#pragma once

#include "kernels/cuda/row_map.cuh"
#include "kernels/pooling/pool_window.h"

namespace chiasm {
namespace detail {

template <class G>
__global__ void __launch_bounds__(RowTiles::kThreads)
    gather_kernel(G g, RowTiles tiles, bool aligned, const float* from, float* to) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t channels = tiles.columns;
  const std::int64_t channel =
      (blockIdx.x % tiles.column_blocks * tiles.column_threads + thread % tiles.column_threads) * 4;
  const std::int64_t count = channels - channel;  // of this thread, where below four
  if (count <= 0) return;
  const std::int64_t first = blockIdx.x / tiles.column_blocks * tiles.block_rows;
  const std::int64_t end = min(tiles.rows, first + tiles.block_rows);
  for (std::int64_t pixel = first + thread / tiles.column_threads; pixel < end; pixel += tiles.row_threads()) {
    const std::int64_t line = pixel / g.to.w, n = line / g.to.h;
    const std::int64_t i = line - n * g.to.h, j = pixel - line * g.to.w;
    const PixelRange rows = g.rows(i), columns = g.columns(j);
    const float* image = from + n * g.from.h * g.from.w * channels + channel;
    Float4 sum = {};
    for (std::int64_t h = rows.first; h < rows.last; ++h) {
      Float4 part = {};
#pragma unroll 4
      for (std::int64_t w = columns.first; w < columns.last; ++w) {
        const Float4 value = load_pack<4>(image + (h * g.from.w + w) * channels, count, aligned);
        const float weight = g.source_weight(h, w);
#pragma unroll
        for (int e = 0; e < 4; ++e) part.value[e] += value.value[e] * weight;
      }
#pragma unroll
      for (int e = 0; e < 4; ++e) sum.value[e] += part.value[e];
    }
    const float weight = g.result_weight(i, j);
#pragma unroll
    for (int e = 0; e < 4; ++e) sum.value[e] *= weight;
    store_pack(to + pixel * channels + channel, sum, count, aligned);
  }
}

}  // namespace detail

// Fills `to`, dense [N, H, W, C] like `from`.
template <class G>
void gather(const CudaStream& stream, const G& g, const View& from, const MutableView& to) {
  if (to.elements() == 0) return;
  const std::int64_t channels = to.shape()[3];
  const RowTiles tiles(to.elements() / channels, channels);
  const bool aligned = channels % 4 == 0 && is_aligned16(from.as<float>()) && is_aligned16(to.as<float>());
  CHIASM_LAUNCH(stream, detail::gather_kernel<G>, tiles.grid(), RowTiles::kThreads, 0, g, tiles, aligned,
                from.as<float>(), to.as<float>());
}

}  // namespace chiasm
