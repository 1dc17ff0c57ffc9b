// SPDX-License-Identifier: Apache-2.0
// The axes of a reduction, merged: neighbouring axes of one kind, kept or reduced, act as one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/reduction/axes.h"

namespace chiasm {

struct AxisGroup {
  std::int64_t size;
  std::int64_t stride;
  bool reduced;
};

// Of a dense tensor, outermost first; the two kinds alternate. Axes of size 1 vanish; where nothing is left there is
// one kept group of size 1.
struct AxisGroups {
  AxisGroups(const Shape& shape, AxisMask reduced) {
    const Strides strides = shape.row_major();
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      const bool gone = reduced[static_cast<std::size_t>(axis)];
      if (count > 0 && group[count - 1].reduced == gone) {
        group[count - 1].size *= shape[axis];
        group[count - 1].stride = strides[axis];
      } else {
        group[count++] = {shape[axis], strides[axis], gone};
      }
    }
    if (count == 0) group[count++] = {1, 1, false};
  }

  // How many rows, runs of the innermost group, the groups of one kind span.
  std::int64_t outer_count(bool reduced) const {
    std::int64_t rows = 1;
    for (std::size_t g = 0; g + 1 < count; ++g) rows *= group[g].reduced == reduced ? group[g].size : 1;
    return rows;
  }
  const AxisGroup& inner() const { return group[count - 1]; }

  std::array<AxisGroup, kMaxRank> group;
  std::size_t count = 0;
};

}  // namespace chiasm
