// SPDX-License-Identifier: Apache-2.0
// Reductions of dense float32 tensors over any axes, in a fixed order, without atomics.
//
// Mapping (ReduceLayout): where rows are kept (bias gradients, [N*H*W, C] -> [C]) a thread owns four neighbouring
// columns and walks down the rows of its piece; the threads of a block that share columns are joined as a tree. Where
// rows are reduced a team of up to 32 threads, or a block for long outputs, walks along them in steps of four elements;
// its threads are joined as a tree. Long outputs are cut into pieces, whose partial results go through the workspace
// and are joined by a second launch. Memory traffic: one read of each input, in accesses of 16 bytes where addresses
// allow, four in flight per thread; partial results are at most a few hundred kilobytes beside that. Rounding: no float
// takes more than 128 terms one after the other before it is joined in a tree; beyond 128 pieces a thread of the second
// launch joins pieces / 32 (rows kept) or pieces / 256 (rows reduced) one after the other.
//
// What is reduced is a Reducer:
//   struct Example {
//     static constexpr int kInputs = 1;
//     const float* inputs[kInputs];                            // dense tensors of one shape
//     struct State { float sum; };                             // whole words; no constructor
//     using Output = float;                                    // what a term needs to know of its output, read once
//     __device__ State empty() const;
//     __device__ Output output(std::int64_t k) const;
//     __device__ void add(State& state, const float (&x)[kInputs], std::int64_t i, const Output& output) const;
//     __device__ void close(State& state) const;               // after the last add, before any join
//     __device__ State join(const State& a, const State& b) const;
//     __device__ void store(std::int64_t k, const State& state) const;   // once for each output
//   };
// i is the element's offset in the tensor and k the number of the output. empty() may be joined with anything.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/reduction/reduce_layout.h"

namespace chiasm {
namespace detail {

inline constexpr int kReduceThreads = ReduceLayout::kThreads;

template <class State>
inline constexpr int kStateWords = static_cast<int>(sizeof(State) / 4);

// Joins the states of `lanes` threads (a power of two) whose indices differ by multiples of `stride`; the result is
// lane 0's. Every thread of the block calls it.
template <class R, int kStates>
__device__ void join_tree(const R& reducer, typename R::State (&state)[kStates], int lane, int lanes, int stride) {
  constexpr int kWords = kStateWords<typename R::State>;
  static_assert(sizeof(typename R::State) % 4 == 0);
  __shared__ std::uint32_t shared[kStates * kWords][kReduceThreads];
  const int thread = static_cast<int>(threadIdx.x);
  for (int half = lanes / 2; half > 0; half /= 2) {
    if (lane >= half && lane < 2 * half) {
#pragma unroll
      for (int s = 0; s < kStates; ++s) {
        std::uint32_t words[kWords];
        std::memcpy(words, &state[s], sizeof(words));
#pragma unroll
        for (int w = 0; w < kWords; ++w) shared[s * kWords + w][thread - half * stride] = words[w];
      }
    }
    __syncthreads();
    if (lane < half) {
#pragma unroll
      for (int s = 0; s < kStates; ++s) {
        std::uint32_t words[kWords];
#pragma unroll
        for (int w = 0; w < kWords; ++w) words[w] = shared[s * kWords + w][thread];
        typename R::State other;
        std::memcpy(&other, words, sizeof(words));
        state[s] = reducer.join(state[s], other);
      }
    }
    __syncthreads();
  }
}

// The same for neighbouring lanes of a warp. Every lane of the warp calls it.
template <class R>
__device__ void join_warp(const R& reducer, typename R::State& state, int lanes) {
  constexpr int kWords = kStateWords<typename R::State>;
  for (int half = lanes / 2; half > 0; half /= 2) {
    std::uint32_t words[kWords];
    std::memcpy(words, &state, sizeof(words));
#pragma unroll
    for (int w = 0; w < kWords; ++w) words[w] = __shfl_down_sync(0xffffffffu, words[w], half, lanes);
    typename R::State other;
    std::memcpy(&other, words, sizeof(words));
    state = reducer.join(state, other);
  }
}

template <class R>
struct Quad {
  Float4 x[R::kInputs];
};

// `count` elements from i on, at most four. With kWhole there are four, at an aligned address.
template <bool kWhole, class R>
__device__ Quad<R> load_quad(const R& reducer, std::int64_t i, std::int64_t count, bool aligned) {
  Quad<R> quad;
#pragma unroll
  for (int n = 0; n < R::kInputs; ++n) {
    if constexpr (kWhole) {
      quad.x[n] = *reinterpret_cast<const Float4*>(reducer.inputs[n] + i);
    } else {
      quad.x[n] = load_pack<4>(reducer.inputs[n] + i, count, aligned);
    }
  }
  return quad;
}

template <class R>
__device__ void add_quad(const R& reducer, typename R::State (&state)[4], const Quad<R>& quad, std::int64_t i,
                         std::int64_t count, const typename R::Output (&output)[4]) {
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    float x[R::kInputs];
#pragma unroll
    for (int n = 0; n < R::kInputs; ++n) x[n] = quad.x[n].value[e];
    if (e < count) reducer.add(state[e], x, i + e, output[e]);
  }
}

template <class R, bool kAligned>
__global__ void __launch_bounds__(kReduceThreads, 2)
    reduce_columns_kernel(R reducer, ReduceLayout layout, typename R::State* partial) {
  using State = typename R::State;
  const int thread = static_cast<int>(threadIdx.x);
  const int x = thread % layout.column_threads, rest = thread / layout.column_threads;
  const int y = rest % layout.unit_threads;
  const std::int64_t column_blocks = (layout.quads + layout.column_threads - 1) / layout.column_threads;
  const std::int64_t column = (blockIdx.x % column_blocks * layout.column_threads + x) * 4;
  const std::int64_t piece = blockIdx.x / column_blocks % layout.pieces;
  const std::int64_t row =
      blockIdx.x / column_blocks / layout.pieces * layout.block_rows() + rest / layout.unit_threads;
  const bool active = row < layout.kept_rows && column < layout.inner;
  const std::int64_t count = layout.inner - column;  // of this quad, where below four
  const std::int64_t k = row * layout.inner + column;

  State state[4];
  typename R::Output output[4];
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    state[e] = reducer.empty();
    output[e] = reducer.output(active && e < count ? k + e : 0);
  }
  if (active) {
    const std::int64_t start = layout.kept_start(row) + column;
    const std::int64_t end = min(layout.units, (piece + 1) * layout.piece_units);
    const auto walk = [&](const auto& row_start) {
      std::int64_t u = piece * layout.piece_units + y;
      for (; u + 3 * layout.unit_threads < end; u += 4 * layout.unit_threads) {
        Quad<R> quad[4];
        std::int64_t i[4];
#pragma unroll
        for (int b = 0; b < 4; ++b) {
          i[b] = start + row_start(u + b * layout.unit_threads);
          quad[b] = load_quad<kAligned>(reducer, i[b], count, false);
        }
#pragma unroll
        for (int b = 0; b < 4; ++b) add_quad(reducer, state, quad[b], i[b], kAligned ? 4 : count, output);
      }
      for (; u < end; u += layout.unit_threads) {
        const std::int64_t i = start + row_start(u);
        add_quad(reducer, state, load_quad<kAligned>(reducer, i, count, false), i, kAligned ? 4 : count, output);
      }
    };
    if (layout.reduced_start.rank <= 1) {
      const std::int64_t stride = layout.reduced_start.stride[0];
      walk([stride](std::int64_t u) { return u * stride; });
    } else {
      walk([&](std::int64_t u) { return layout.reduced_start(u); });
    }
#pragma unroll
    for (int e = 0; e < 4; ++e) reducer.close(state[e]);
  }
  join_tree(reducer, state, y, layout.unit_threads, layout.column_threads);
  if (!active || y != 0) return;
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    if (e >= count) continue;
    if (layout.pieces == 1) {
      reducer.store(k + e, state[e]);
    } else {
      partial[(row * layout.pieces + piece) * layout.inner + column + e] = state[e];
    }
  }
}

template <class R, bool kAligned>
__global__ void __launch_bounds__(kReduceThreads, 2)
    reduce_rows_kernel(R reducer, ReduceLayout layout, typename R::State* partial) {
  using State = typename R::State;
  const int thread = static_cast<int>(threadIdx.x);
  const int lanes = layout.unit_threads, lane = thread % lanes;
  const std::int64_t task = static_cast<std::int64_t>(blockIdx.x) * layout.block_rows() + thread / lanes;
  const std::int64_t k = task / layout.pieces, piece = task % layout.pieces;
  const bool active = k < layout.kept_rows;

  State state[4];
#pragma unroll
  for (int e = 0; e < 4; ++e) state[e] = reducer.empty();
  if (active) {
    const typename R::Output one = reducer.output(k);
    const typename R::Output output[4] = {one, one, one, one};
    const std::int64_t start = layout.kept_start(k);
    const std::int64_t end = min(layout.units, (piece + 1) * layout.piece_units);
    std::int64_t u = piece * layout.piece_units + lane;
    if (layout.reduced_rows == 1) {
      // Only the last quad of a row may be short, and it is left to the loop below.
      const std::int64_t whole = min(end, layout.inner / 4);
      for (; u + 3 * lanes < whole; u += 4 * lanes) {
        Quad<R> quad[4];
#pragma unroll
        for (int b = 0; b < 4; ++b) quad[b] = load_quad<kAligned>(reducer, start + (u + b * lanes) * 4, 4, false);
#pragma unroll
        for (int b = 0; b < 4; ++b) add_quad(reducer, state, quad[b], start + (u + b * lanes) * 4, 4, output);
      }
    }
    for (; u < end; u += lanes) {
      const std::int64_t row = layout.reduced_rows == 1 ? 0 : u / layout.quads;
      const std::int64_t column = (u - row * layout.quads) * 4;
      const std::int64_t i = start + (layout.reduced_rows == 1 ? 0 : layout.reduced_start(row)) + column;
      const std::int64_t count = layout.inner - column;
      add_quad(reducer, state, load_quad<false>(reducer, i, count, kAligned), i, count, output);
    }
#pragma unroll
    for (int e = 0; e < 4; ++e) reducer.close(state[e]);
  }
  State sum[1] = {reducer.join(reducer.join(state[0], state[1]), reducer.join(state[2], state[3]))};
  join_warp(reducer, sum[0], lanes < 32 ? lanes : 32);
  if (lanes > 32) {
    // Lane 0 of every warp holds its sum: eight of them, 32 threads apart.
    join_tree(reducer, sum, thread % 32 == 0 ? thread / 32 : kReduceThreads, lanes / 32, 32);
  }
  if (!active || lane != 0) return;
  if (layout.pieces == 1) {
    reducer.store(k, sum[0]);
  } else {
    partial[task] = sum[0];
  }
}

// Joins the partial results [kept, pieces, row of the result] of each output, and stores it.
template <class R>
__global__ void __launch_bounds__(kReduceThreads, 2)
    reduce_fold_kernel(R reducer, ReduceLayout layout, const typename R::State* partial) {
  const int thread = static_cast<int>(threadIdx.x), side = kReduceThreads / layout.fold_threads;
  const int lane = thread / side;
  const std::int64_t k = static_cast<std::int64_t>(blockIdx.x) * side + thread % side;
  const bool active = k < layout.outputs();
  typename R::State state[1] = {reducer.empty()};
  if (active && layout.pieces > 0) {
    const std::int64_t row_length = layout.inner_kept ? layout.inner : 1;
    const auto* from = partial + k / row_length * layout.pieces * row_length + k % row_length;
#pragma unroll 4
    for (std::int64_t p = lane; p < layout.pieces; p += layout.fold_threads) {
      state[0] = reducer.join(state[0], from[p * row_length]);
    }
  }
  join_tree(reducer, state, lane, layout.fold_threads, side);
  if (active && lane == 0) reducer.store(k, state[0]);
}

}  // namespace detail

// Workspace of reduce() with this reducer.
template <class R>
std::int64_t reduce_workspace_bytes(const ReduceLayout& layout) {
  return layout.workspace_bytes(sizeof(typename R::State));
}

// Reduces every output and stores it. `workspace` holds reduce_workspace_bytes, aligned to 8 bytes.
template <class R>
void reduce(const CudaStream& stream, const ReduceLayout& layout, const R& reducer, void* workspace) {
  if (layout.outputs() == 0) return;
  auto* partial = static_cast<typename R::State*>(workspace);
  bool aligned = layout.inner % 4 == 0 || (!layout.inner_kept && layout.kept_rows * layout.reduced_rows == 1);
  for (const float* input : reducer.inputs) aligned = aligned && is_aligned16(input);
  if (layout.pieces > 0 && layout.inner_kept) {
    const std::int64_t column_blocks = (layout.quads + layout.column_threads - 1) / layout.column_threads;
    const std::int64_t row_blocks = (layout.kept_rows + layout.block_rows() - 1) / layout.block_rows();
    const unsigned grid = blocks_for(column_blocks * row_blocks * layout.pieces, 1);
    if (aligned) {
      CHIASM_LAUNCH(stream, (detail::reduce_columns_kernel<R, true>), grid, ReduceLayout::kThreads, 0, reducer, layout,
                    partial);
    } else {
      CHIASM_LAUNCH(stream, (detail::reduce_columns_kernel<R, false>), grid, ReduceLayout::kThreads, 0, reducer, layout,
                    partial);
    }
  } else if (layout.pieces > 0) {
    const unsigned grid = blocks_for(layout.kept_rows * layout.pieces, layout.block_rows());
    if (aligned) {
      CHIASM_LAUNCH(stream, (detail::reduce_rows_kernel<R, true>), grid, ReduceLayout::kThreads, 0, reducer, layout,
                    partial);
    } else {
      CHIASM_LAUNCH(stream, (detail::reduce_rows_kernel<R, false>), grid, ReduceLayout::kThreads, 0, reducer, layout,
                    partial);
    }
  }
  if (layout.pieces == 1) return;
  const unsigned grid = blocks_for(layout.outputs(), ReduceLayout::kThreads / layout.fold_threads);
  CHIASM_LAUNCH(stream, detail::reduce_fold_kernel<R>, grid, ReduceLayout::kThreads, 0, reducer, layout, partial);
}

}  // namespace chiasm
