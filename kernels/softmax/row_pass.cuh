// SPDX-License-Identifier: Apache-2.0
// Rows whose elements depend on a reduction of the same row: softmax and its relatives.
//
// Mapping: a row of up to 1024 elements is held in the registers of a team of up to 32 lanes of a warp, so that it is
// read once and written once. A longer row is reduced by reduce.cuh and then read again by row_map.cuh.
//
// A row function is a Reducer (reduce.cuh) without store(), with Output empty, and
//   struct Constants;
//   __device__ Constants finish(std::int64_t row, const State& state) const;       // once per row
//   __device__ float value(const float (&x)[kInputs], std::int64_t column, const Constants& constants) const;
#pragma once

#include "kernels/cuda/row_map.cuh"
#include "kernels/reduction/reduce.cuh"

namespace chiasm {
namespace detail {

inline constexpr std::int64_t kShortRow = 1024;

inline ReduceLayout row_layout(std::int64_t rows, std::int64_t columns) {
  return ReduceLayout(Shape{rows, columns}, AxisMask(0b10));
}

// kPacks quads for each lane: element e of pack p is column 4 (p * lanes + lane) + e.
template <int kPacks, class F>
__global__ void __launch_bounds__(kReduceThreads)
    short_row_kernel(F function, std::int64_t rows, std::int64_t columns, int lanes, bool aligned, float* out) {
  using State = typename F::State;
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const std::int64_t row =
      static_cast<std::int64_t>(blockIdx.x) * (kReduceThreads / lanes) + static_cast<int>(threadIdx.x) / lanes;
  const bool active = row < rows;
  const std::int64_t start = row * columns;
  Quad<F> quad[kPacks] = {};
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const std::int64_t column = (p * lanes + lane) * 4;
    if (active && column < columns) quad[p] = load_quad<false>(function, start + column, columns - column, aligned);
  }
  const typename F::Output output[4] = {};
  State state[4];
#pragma unroll
  for (int e = 0; e < 4; ++e) state[e] = function.empty();
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const std::int64_t column = (p * lanes + lane) * 4;
    if (active && column < columns) add_quad(function, state, quad[p], start + column, columns - column, output);
  }
#pragma unroll
  for (int e = 0; e < 4; ++e) function.close(state[e]);
  State whole = function.join(function.join(state[0], state[1]), function.join(state[2], state[3]));
  join_warp(function, whole, lanes);
  std::uint32_t words[kStateWords<State>];
  std::memcpy(words, &whole, sizeof(words));
#pragma unroll
  for (std::uint32_t& word : words) word = __shfl_sync(0xffffffffu, word, 0, lanes);
  std::memcpy(&whole, words, sizeof(words));
  if (!active) return;
  const typename F::Constants constants = function.finish(row, whole);
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const std::int64_t column = (p * lanes + lane) * 4;
    if (column >= columns) continue;
    Float4 y;
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      float x[F::kInputs];
#pragma unroll
      for (int n = 0; n < F::kInputs; ++n) x[n] = quad[p].x[n].value[e];
      y.value[e] = function.value(x, column + e, constants);
    }
    store_pack(out + start + column, y, columns - column, aligned);
  }
}

template <class F>
struct LongRowReducer : F {
  typename F::State* states;
  __device__ void store(std::int64_t row, const typename F::State& state) const { states[row] = state; }
};

template <class F>
struct LongRowMap : F {
  const typename F::State* states;
  struct Constants {
    typename F::Constants row;
    std::int64_t column;
  };
  __device__ Constants constants(std::int64_t row, std::int64_t column) const {
    return {this->finish(row, states[row]), column};
  }
  __device__ float operator()(const float (&x)[F::kInputs], const Constants& constants) const {
    return this->value(x, constants.column, constants.row);
  }
};

}  // namespace detail

template <class F>
std::int64_t row_pass_workspace_bytes(std::int64_t rows, std::int64_t columns) {
  if (columns <= detail::kShortRow) return 0;
  return rows * static_cast<std::int64_t>(sizeof(typename F::State)) +
         reduce_workspace_bytes<detail::LongRowReducer<F>>(detail::row_layout(rows, columns));
}

// Writes rows x columns elements of `out`. `workspace` holds row_pass_workspace_bytes.
template <class F>
void row_pass(const CudaStream& stream, const F& function, std::int64_t rows, std::int64_t columns, void* workspace,
              float* out) {
  if (rows == 0 || columns == 0) return;
  if (columns > detail::kShortRow) {
    auto* states = static_cast<typename F::State*>(workspace);
    reduce(stream, detail::row_layout(rows, columns), detail::LongRowReducer<F>{function, states}, states + rows);
    map_rows(stream, detail::LongRowMap<F>{function, states}, rows, columns, 1, out);
    return;
  }
  bool aligned = columns % 4 == 0 && is_aligned16(out);
  for (const float* input : function.inputs) aligned = aligned && is_aligned16(input);
  int lanes = 1;
  while (lanes < 32 && lanes * 4 < columns) lanes *= 2;
  const unsigned grid = blocks_for(rows, detail::kReduceThreads / lanes);
  const auto launch = [&]<int kPacks>() {
    CHIASM_LAUNCH(stream, (detail::short_row_kernel<kPacks, F>), grid, detail::kReduceThreads, 0, function, rows,
                  columns, lanes, aligned, out);
  };
  if (columns <= 128) {
    launch.template operator()<1>();
  } else if (columns <= 256) {
    launch.template operator()<2>();
  } else if (columns <= 512) {
    launch.template operator()<4>();
  } else {
    launch.template operator()<8>();
  }
}

}  // namespace chiasm
