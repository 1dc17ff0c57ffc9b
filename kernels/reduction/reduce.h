// SPDX-License-Identifier: Apache-2.0
// Fast float32 reductions of a dense tensor over any axes.
//
// Mapping: neighbouring axes of one kind merge, so that the tensor is rows of one inner length. Rows that are kept add
// up element by element (bias gradients, batch sums); rows that are reduced fold to one number over lanes. The reduced
// rows are cut into pieces that depend on the shape alone; their partial results go through the workspace and are
// combined in order. So bits depend neither on the number of threads nor on chance, and no float accumulates more than
// a few thousand terms one after the other. Memory traffic is one read of the tensor.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/elementwise/loop_nest.h"
#include "kernels/reduction/axes.h"
#include "kernels/reduction/lanes.h"
#include "kernels/stream.h"

namespace chiasm {

class ReducePlan {
 public:
  ReducePlan(const Shape& shape, AxisMask reduced);

  std::int64_t outputs() const { return kept_ * (inner_kept_ ? inner_ : 1); }
  // Workspace for reducing `values` numbers side by side.
  std::int64_t workspace_bytes(int values) const {
    return pieces_ == 1 ? 0 : outputs() * pieces_ * values * static_cast<std::int64_t>(sizeof(float));
  }

  // Combines term(i, k) -> array<float, Values> over all elements i that belong to output k, and calls store(k, result)
  // once for each k, from any thread. i is an element offset into the dense tensor. REQUIRES: term and store are
  // CHIASM_INLINE_LAMBDA; `workspace` holds workspace_bytes(Values).
  template <int Values, class Combine, class Term, class Store>
  void reduce(const CpuStream& stream, void* workspace, Combine combine, const Term& term, const Store& store) const;

 private:
  static constexpr std::int64_t kColumns = 512;      // accumulators of one task stay in the first-level cache
  static constexpr std::int64_t kBlock = 4096;       // longest run folded over lanes at once
  static constexpr std::int64_t kPiece = 32768;      // elements worth a task of their own
  static constexpr std::int64_t kManyTasks = 32;     // enough for any machine: no more pieces for the sake of threads
  static constexpr std::int64_t kLongestSum = 1024;  // rows added up in one piece, for the sake of rounding

  template <int Values, class Combine, class Term, class Store>
  void reduce_columns(const CpuStream&, float* partial, Combine, const Term&, const Store&) const;
  template <int Values, class Combine, class Term, class Store>
  void reduce_rows(const CpuStream&, float* partial, Combine, const Term&, const Store&) const;

  std::int64_t inner_ = 1;  // length of a row
  bool inner_kept_ = true;
  std::int64_t kept_ = 1;     // rows of the result, or its elements when rows are reduced
  std::int64_t reduced_ = 1;  // rows that go into one of them
  LoopNest<1> kept_rows_, reduced_rows_;
  std::int64_t piece_ = 1;  // reduced rows (columns) or reduced blocks (rows) in a piece
  std::int64_t pieces_ = 1;
};

template <int Values, class Combine, class Term, class Store>
void ReducePlan::reduce(const CpuStream& stream, void* workspace, Combine combine, const Term& term,
                        const Store& store) const {
  const std::int64_t count = outputs();
  if (count == 0) return;
  if (reduced_ == 0 || inner_ == 0) {
    std::array<float, Values> identity;
    identity.fill(Combine::kIdentity);
    for (std::int64_t k = 0; k < count; ++k) store(k, identity);
    return;
  }
  float* partial = static_cast<float*>(workspace);
  if (inner_kept_) {
    reduce_columns<Values>(stream, partial, combine, term, store);
  } else {
    reduce_rows<Values>(stream, partial, combine, term, store);
  }
  if (pieces_ == 1) return;
  // partial is [kept, pieces, Values, row of the result].
  const std::int64_t length = inner_kept_ ? inner_ : 1;
  stream.parallel_for(count, std::max<std::int64_t>(1, kPiece / pieces_), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const float* from = partial + k / length * pieces_ * Values * length + k % length;
      std::array<float, Values> sum;
      sum.fill(Combine::kIdentity);
      for (std::int64_t p = 0; p < pieces_; ++p) {
        for (int v = 0; v < Values; ++v) sum[v] = combine(sum[v], from[(p * Values + v) * length]);
      }
      store(k, sum);
    }
  });
}

template <int Values, class Combine, class Term, class Store>
void ReducePlan::reduce_columns(const CpuStream& stream, float* partial, Combine combine, const Term& term,
                                const Store& store) const {
  const std::int64_t blocks = (inner_ + kColumns - 1) / kColumns;
  const std::int64_t work = std::min(piece_, reduced_) * std::min(inner_, kColumns);
  stream.parallel_for(
      kept_ * pieces_ * blocks, std::max<std::int64_t>(1, kPiece / work), [&](std::int64_t begin, std::int64_t end) {
        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
          for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t column = task % blocks * kColumns;
            const std::int64_t piece = task / blocks % pieces_;
            const std::int64_t row = task / blocks / pieces_;
            const std::int64_t width = std::min(kColumns, inner_ - column);
            const std::int64_t k = row * inner_ + column;
            std::int64_t start = 0;
            kept_rows_.for_rows(row, row + 1,
                                [&](std::int64_t, const auto& at) CHIASM_INLINE_LAMBDA { start = at[0]; });
            float sum[Values][kColumns];
            for (int v = 0; v < Values; ++v) std::fill_n(sum[v], width, Combine::kIdentity);
            const std::int64_t last = std::min(reduced_, (piece + 1) * piece_);
            reduced_rows_.for_rows(piece * piece_, last, [&](std::int64_t count, const auto& at) CHIASM_INLINE_LAMBDA {
              const std::int64_t step = reduced_rows_.row_stride(0);
              std::int64_t i = start + column + at[0];
              // Four rows for one load and store of the sums.
              for (; count >= 4; count -= 4, i += 4 * step) {
#pragma GCC ivdep
                for (std::int64_t c = 0; c < width; ++c) {
                  const auto a = term(i + c, k + c), b = term(i + step + c, k + c);
                  const auto d = term(i + 2 * step + c, k + c), e = term(i + 3 * step + c, k + c);
                  for (int v = 0; v < Values; ++v) {
                    sum[v][c] = combine(sum[v][c], combine(combine(a[v], b[v]), combine(d[v], e[v])));
                  }
                }
              }
              for (; count > 0; --count, i += step) {
#pragma GCC ivdep
                for (std::int64_t c = 0; c < width; ++c) {
                  const auto a = term(i + c, k + c);
                  for (int v = 0; v < Values; ++v) sum[v][c] = combine(sum[v][c], a[v]);
                }
              }
            });
            if (pieces_ > 1) {
              for (int v = 0; v < Values; ++v) {
                std::copy_n(sum[v], width, partial + ((row * pieces_ + piece) * Values + v) * inner_ + column);
              }
              continue;
            }
            for (std::int64_t c = 0; c < width; ++c) {
              std::array<float, Values> result;
              for (int v = 0; v < Values; ++v) result[v] = sum[v][c];
              store(k + c, result);
            }
          }
        });
      });
}

template <int Values, class Combine, class Term, class Store>
void ReducePlan::reduce_rows(const CpuStream& stream, float* partial, Combine combine, const Term& term,
                             const Store& store) const {
  const std::int64_t blocks = (inner_ + kBlock - 1) / kBlock;  // of one row
  const std::int64_t units = reduced_ * blocks;
  const std::int64_t work = std::min(piece_, units) * std::min(inner_, kBlock);
  stream.parallel_for(
      kept_ * pieces_, std::max<std::int64_t>(1, kPiece / work), [&](std::int64_t begin, std::int64_t end) {
        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
          for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t piece = pieces_ == 1 ? 0 : task % pieces_;
            const std::int64_t k = pieces_ == 1 ? task : task / pieces_;
            std::int64_t start = 0;
            kept_rows_.for_rows(k, k + 1, [&](std::int64_t, const auto& at) CHIASM_INLINE_LAMBDA { start = at[0]; });
            std::array<float, Values> sum;
            sum.fill(Combine::kIdentity);
            for (std::int64_t unit = piece * piece_; unit < std::min(units, (piece + 1) * piece_); ++unit) {
              const std::int64_t row = blocks == 1 ? unit : unit / blocks;
              const std::int64_t column = (unit - row * blocks) * kBlock;
              std::int64_t i = start + column;
              if (reduced_ > 1) {
                reduced_rows_.for_rows(row, row + 1,
                                       [&](std::int64_t, const auto& at) CHIASM_INLINE_LAMBDA { i += at[0]; });
              }
              const auto run = reduce_run<Values>(std::min(kBlock, inner_ - column), combine,
                                                  [&](std::int64_t c) CHIASM_INLINE_LAMBDA { return term(i + c, k); });
              for (int v = 0; v < Values; ++v) sum[v] = combine(sum[v], run[v]);
            }
            if (pieces_ == 1) {
              store(k, sum);
            } else {
              for (int v = 0; v < Values; ++v) partial[(k * pieces_ + piece) * Values + v] = sum[v];
            }
          }
        });
      });
}

}  // namespace chiasm
