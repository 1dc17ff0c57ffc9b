// SPDX-License-Identifier: Apache-2.0
// The way back of a reduction: every element of a dense tensor is a function of the output of the reduction that it
// went into, and of the element of another tensor of its shape.
//
// Mapping: a thread owns four neighbouring elements of a row and walks down the rows of its block. Memory traffic: the
// tensor is written once and the other read once, 16 bytes at a time where addresses allow; what belongs to outputs
// comes from the caches.
//
//   struct Example {
//     static constexpr bool kReadsElement = true;
//     const float* element;                                                    // null where it is not read
//     __device__ float operator()(float x, std::int64_t k) const;              // k: number of the output
//   };
#pragma once

#include "kernels/cuda/row_map.cuh"
#include "kernels/reduction/axis_groups.h"
#include "kernels/reduction/reduce_layout.h"

namespace chiasm {
namespace detail {

// The output that a row, a run of the innermost group of axes, goes into, or the first of those.
inline RowStarts outputs_of_rows(const AxisGroups& groups) {
  RowStarts starts;
  starts.rank = static_cast<int>(groups.count) - 1;
  std::int64_t step = groups.inner().reduced ? 1 : groups.inner().size;
  for (int g = starts.rank - 1; g >= 0; --g) {
    const AxisGroup& group = groups.group[static_cast<std::size_t>(g)];
    starts.size[g] = group.size;
    starts.stride[g] = group.reduced ? 0 : step;
    if (!group.reduced) step *= group.size;
  }
  return starts;
}

template <class F, bool kAligned>
__global__ void __launch_bounds__(RowTiles::kThreads)
    spread_kernel(F function, RowStarts outputs, bool inner_kept, RowTiles tiles, float* to) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t column =
      (blockIdx.x % tiles.column_blocks * tiles.column_threads + thread % tiles.column_threads) * 4;
  const std::int64_t count = tiles.columns - column;  // of this thread, where below four
  if (count <= 0) return;
  const std::int64_t first = blockIdx.x / tiles.column_blocks * tiles.block_rows;
  const std::int64_t end = min(tiles.rows, first + tiles.block_rows);
#pragma unroll 4
  for (std::int64_t row = first + thread / tiles.column_threads; row < end; row += tiles.row_threads()) {
    Float4 value = {};
    if constexpr (F::kReadsElement) {
      value = load_pack<4>(function.element + row * tiles.columns + column, kAligned ? 4 : count, kAligned);
    }
    const std::int64_t k = outputs(row) + (inner_kept ? column : 0);
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      if (e < count) value.value[e] = function(value.value[e], inner_kept ? k + e : k);
    }
    store_pack(to + row * tiles.columns + column, value, kAligned ? 4 : count, kAligned);
  }
}

}  // namespace detail

// Fills `to`, of shape `shape`, where the axes of `reduced` were reduced.
template <class F>
void spread(const CudaStream& stream, const Shape& shape, AxisMask reduced, const F& function, float* to) {
  if (shape.elements() == 0) return;
  const AxisGroups groups(shape, reduced);
  const RowTiles tiles(shape.elements() / groups.inner().size, groups.inner().size);
  const RowStarts outputs = detail::outputs_of_rows(groups);
  const bool inner_kept = !groups.inner().reduced;
  if (tiles.columns % 4 == 0 && is_aligned16(to) && is_aligned16(function.element)) {
    CHIASM_LAUNCH(stream, (detail::spread_kernel<F, true>), tiles.grid(), RowTiles::kThreads, 0, function, outputs,
                  inner_kept, tiles, to);
  } else {
    CHIASM_LAUNCH(stream, (detail::spread_kernel<F, false>), tiles.grid(), RowTiles::kThreads, 0, function, outputs,
                  inner_kept, tiles, to);
  }
}

}  // namespace chiasm
