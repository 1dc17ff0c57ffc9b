// SPDX-License-Identifier: Apache-2.0
// How a CUDA reduction of a dense tensor is laid on threads. It depends on the shape alone, so that neither the device
// nor the alignment of the tensor changes a bit of the result.
#pragma once

#include <cstdint>

#include "kernels/host_device.h"
#include "kernels/reduction/axes.h"

namespace chiasm {

// Where row `row` of several merged axes begins.
struct RowStarts {
  int rank = 0;
  std::int64_t size[kMaxRank] = {};
  std::int64_t stride[kMaxRank] = {};

  CHIASM_HOST_DEVICE std::int64_t operator()(std::int64_t row) const {
    std::int64_t offset = 0;
    for (int axis = rank - 1; axis > 0; --axis) {
      const std::int64_t outer = row / size[axis];
      offset += (row - outer * size[axis]) * stride[axis];
      row = outer;
    }
    return offset + row * stride[0];
  }
};

// A tensor is rows of `inner` elements, read four at a time: a quad, the last of a row possibly short. Where rows are
// kept, the units that are reduced are rows; where they are reduced, units are the quads of all rows of an output. A
// block has 256 threads.
struct ReduceLayout {
  static constexpr int kThreads = 256;

  ReduceLayout(const Shape& shape, AxisMask reduced);

  bool inner_kept = true;
  std::int64_t inner = 1;
  std::int64_t quads = 1;         // of a row
  std::int64_t kept_rows = 1;     // rows of the result, or its elements where rows are reduced
  std::int64_t reduced_rows = 1;  // rows that go into one of them
  RowStarts kept_start, reduced_start;

  std::int64_t units = 1;        // of an output
  std::int64_t piece_units = 1;  // of one block, or of one team
  std::int64_t pieces = 1;       // of an output; zero when there is nothing to reduce
  int column_threads = 1;        // side by side along a row, one quad each; only where rows are kept
  int unit_threads = 1;          // that share the units of a piece
  int fold_threads = 1;          // that share the partial results of an output

  CHIASM_HOST_DEVICE std::int64_t outputs() const { return kept_rows * (inner_kept ? inner : 1); }
  // Kept rows (or outputs) that one block handles side by side.
  CHIASM_HOST_DEVICE int block_rows() const { return kThreads / (column_threads * unit_threads); }
  // Workspace for partial results of `state_bytes` each.
  std::int64_t workspace_bytes(std::int64_t state_bytes) const {
    return pieces <= 1 ? 0 : outputs() * pieces * state_bytes;
  }
};

}  // namespace chiasm
