// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/reduce.h"

namespace chiasm {
namespace {

struct Group {
  std::int64_t size;
  std::int64_t stride;
  bool reduced;
};

// Neighbouring axes of one kind as one; axes of size 1 vanish.
struct Groups {
  Groups(const Shape& shape, AxisMask reduced) {
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
  std::array<Group, kMaxRank> group;
  std::size_t count = 0;
};

// The loops over all groups of one kind except the innermost group.
LoopNest<1> outer_rows(const Groups& groups, bool reduced) {
  std::array<std::int64_t, kMaxRank> sizes{};
  Strides strides{};
  std::size_t rank = 0;
  for (std::size_t g = 0; g + 1 < groups.count; ++g) {
    if (groups.group[g].reduced != reduced) continue;
    sizes[rank] = groups.group[g].size;
    strides[rank++] = groups.group[g].stride;
  }
  return LoopNest<1>(Shape(std::span<const std::int64_t>(sizes.data(), rank)), {strides});
}

std::int64_t outer_count(const Groups& groups, bool reduced) {
  std::int64_t count = 1;
  for (std::size_t g = 0; g + 1 < groups.count; ++g) {
    if (groups.group[g].reduced == reduced) count *= groups.group[g].size;
  }
  return count;
}

}  // namespace

ReducePlan::ReducePlan(const Shape& shape, AxisMask reduced)
    : kept_rows_(outer_rows(Groups(shape, reduced), false)), reduced_rows_(outer_rows(Groups(shape, reduced), true)) {
  const Groups groups(shape, reduced);
  inner_ = groups.group[groups.count - 1].size;
  inner_kept_ = !groups.group[groups.count - 1].reduced;
  kept_ = outer_count(groups, false);
  reduced_ = outer_count(groups, true);
  if (inner_ == 0 || kept_ == 0 || reduced_ == 0) return;

  const std::int64_t width = inner_kept_ ? kColumns : kBlock;
  const std::int64_t blocks = (inner_ + width - 1) / width;
  const std::int64_t units = inner_kept_ ? reduced_ : reduced_ * blocks;
  const std::int64_t tasks = inner_kept_ ? kept_ * blocks : kept_;
  piece_ = std::max<std::int64_t>(1, kPiece / std::min(inner_, width));
  // Both kinds of piece are bounded by kLongestSum; pieces for the sake of threads only where there is little else to
  // share.
  piece_ = tasks >= kManyTasks ? kLongestSum : std::min(piece_, kLongestSum);
  pieces_ = (units + piece_ - 1) / piece_;
}

}  // namespace chiasm
