// SPDX-License-Identifier: Apache-2.0
// One pass over the rows of dense float32 tensors of one shape: out[r, c] is a function of the inputs at [r, c] and of
// constants of column c and of the group of neighbouring rows that r belongs to (a sample, or all rows).
//
// Mapping: a thread owns four neighbouring columns and walks down the rows of its block; it reads constants once per
// group that it meets. Memory traffic: every input read once and the output written once, 16 bytes at a time where
// addresses allow, four rows in flight.
//
//   struct Example {
//     static constexpr int kInputs = 1;
//     const float* inputs[kInputs];
//     struct Constants { float scale; };
//     __device__ Constants constants(std::int64_t group, std::int64_t column) const;
//     __device__ float operator()(const float (&x)[kInputs], const Constants& constants) const;
//   };
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"

namespace chiasm {

// How rows are laid on blocks of 256 threads.
struct RowTiles {
  static constexpr int kThreads = 256;

  RowTiles(std::int64_t rows, std::int64_t columns) : rows(rows), columns(columns) {
    const std::int64_t quads = (columns + 3) / 4;
    while (column_threads < quads && column_threads < 64) column_threads *= 2;
    column_blocks = (quads + column_threads - 1) / column_threads;
    // Up to 16 rows for each thread, fewer where there would be too few blocks to fill a device.
    const std::int64_t share = rows * column_blocks / (row_threads() * kBlocks);
    block_rows = row_threads() * std::clamp<std::int64_t>(share, 1, 16);
  }

  CHIASM_HOST_DEVICE int row_threads() const { return kThreads / column_threads; }
  unsigned grid() const { return blocks_for((rows + block_rows - 1) / block_rows * column_blocks, 1); }

  std::int64_t rows;
  std::int64_t columns;
  std::int64_t column_blocks = 1;
  std::int64_t block_rows = 1;
  int column_threads = 1;

 private:
  static constexpr std::int64_t kBlocks = 2048;
};

namespace detail {

template <class M, bool kAligned>
__global__ void __launch_bounds__(RowTiles::kThreads)
    map_rows_kernel(M map, RowTiles tiles, std::int64_t group_rows, float* out) {
  const int thread = static_cast<int>(threadIdx.x), row_threads = tiles.row_threads();
  const std::int64_t column =
      (blockIdx.x % tiles.column_blocks * tiles.column_threads + thread % tiles.column_threads) * 4;
  const std::int64_t count = tiles.columns - column;  // of this thread, where below four
  if (count <= 0) return;
  const std::int64_t first = blockIdx.x / tiles.column_blocks * tiles.block_rows;
  const std::int64_t end = min(tiles.rows, first + tiles.block_rows);
  typename M::Constants constants[4] = {};
  std::int64_t group_end = 0;  // of the rows that the constants belong to
  constexpr int kBatch = 4;
  for (std::int64_t row = first + thread / tiles.column_threads; row < end; row += kBatch * row_threads) {
    Float4 x[kBatch][M::kInputs];
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      const std::int64_t r = row + b * row_threads;
      if (r >= end) continue;
#pragma unroll
      for (int n = 0; n < M::kInputs; ++n) {
        x[b][n] = load_pack<4>(map.inputs[n] + r * tiles.columns + column, kAligned ? 4 : count, kAligned);
      }
    }
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      const std::int64_t r = row + b * row_threads;
      if (r >= end) continue;
      if (r >= group_end) {
        const std::int64_t group = r / group_rows;
        group_end = (group + 1) * group_rows;
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          if (e < count) constants[e] = map.constants(group, column + e);
        }
      }
      Float4 y;
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        float values[M::kInputs];
#pragma unroll
        for (int n = 0; n < M::kInputs; ++n) values[n] = x[b][n].value[e];
        y.value[e] = map(values, constants[e]);
      }
      store_pack(out + r * tiles.columns + column, y, kAligned ? 4 : count, kAligned);
    }
  }
}

}  // namespace detail

// Maps `rows` rows of `columns` elements, in groups of `group_rows`. REQUIRES: group_rows is at least 1.
template <class M>
void map_rows(const CudaStream& stream, const M& map, std::int64_t rows, std::int64_t columns, std::int64_t group_rows,
              float* out) {
  if (rows == 0 || columns == 0) return;
  const RowTiles tiles(rows, columns);
  bool aligned = columns % 4 == 0 && is_aligned16(out);
  for (const float* input : map.inputs) aligned = aligned && is_aligned16(input);
  if (aligned) {
    CHIASM_LAUNCH(stream, (detail::map_rows_kernel<M, true>), tiles.grid(), RowTiles::kThreads, 0, map, tiles,
                  group_rows, out);
  } else {
    CHIASM_LAUNCH(stream, (detail::map_rows_kernel<M, false>), tiles.grid(), RowTiles::kThreads, 0, map, tiles,
                  group_rows, out);
  }
}

}  // namespace chiasm
