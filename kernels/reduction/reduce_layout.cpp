// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/reduce_layout.h"

#include <algorithm>

#include "kernels/reduction/axis_groups.h"

namespace chiasm {
namespace {

constexpr std::int64_t kThreads = ReduceLayout::kThreads;
// Blocks that fill any device of today several times over: 132 multiprocessors hold 8 blocks of 256 threads each.
constexpr std::int64_t kBlocks = 1024;
// Units of one thread: at least so many that a block is worth its start and its partial result, at most so many that
// rounding errors of the serial sum stay small.
constexpr std::int64_t kFewestRows = 8, kMostRows = 128;
constexpr std::int64_t kFewestQuads = 2, kMostQuads = 32;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// The smallest power of two that is at least `count`, at most `most`.
int power_of_two(std::int64_t count, std::int64_t most) {
  std::int64_t power = 1;
  while (power < count && power < most) power *= 2;
  return static_cast<int>(power);
}

RowStarts row_starts(const AxisGroups& groups, bool reduced) {
  RowStarts starts;
  for (std::size_t g = 0; g + 1 < groups.count; ++g) {
    if (groups.group[g].reduced != reduced) continue;
    starts.size[starts.rank] = groups.group[g].size;
    starts.stride[starts.rank++] = groups.group[g].stride;
  }
  return starts;
}

}  // namespace

ReduceLayout::ReduceLayout(const Shape& shape, AxisMask reduced) {
  const AxisGroups groups(shape, reduced);
  inner = groups.inner().size;
  inner_kept = !groups.inner().reduced;
  kept_rows = groups.outer_count(false);
  reduced_rows = groups.outer_count(true);
  kept_start = row_starts(groups, false);
  reduced_start = row_starts(groups, true);
  quads = divide_up(inner, 4);
  units = inner_kept ? reduced_rows : reduced_rows * quads;
  if (outputs() == 0 || units == 0) {
    pieces = 0;
    return;
  }

  if (inner_kept) {
    // Up to 32 quads side by side are 512 bytes of a row at a time. Threads that few rows leave over go along the row,
    // then to further kept rows.
    column_threads = power_of_two(quads, 32);
    unit_threads = power_of_two(divide_up(units, 4), kThreads / column_threads);
    column_threads = power_of_two(quads, kThreads / unit_threads);
    const std::int64_t blocks = divide_up(quads, column_threads) * divide_up(kept_rows, block_rows());
    piece_units = divide_up(units, divide_up(kBlocks, blocks));
    piece_units = std::clamp(piece_units, kFewestRows * unit_threads, kMostRows * unit_threads);
  } else {
    // A team inside a warp for an output of up to 1024 elements, a block for a longer one.
    const bool short_sum = units <= 256;
    unit_threads = short_sum ? power_of_two(divide_up(units, 4), 32) : static_cast<int>(kThreads);
    piece_units = short_sum ? units : divide_up(units, divide_up(kBlocks, kept_rows));
    if (!short_sum) piece_units = std::clamp(piece_units, kFewestQuads * kThreads, kMostQuads * kThreads);
  }
  pieces = divide_up(units, piece_units);
  fold_threads = power_of_two(pieces, inner_kept ? 32 : kThreads);
}

}  // namespace chiasm
