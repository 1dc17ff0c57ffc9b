// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/reduce.h"

#include "kernels/reduction/axis_groups.h"

namespace chiasm {
namespace {

// The loops over all groups of one kind except the innermost group.
LoopNest<1> outer_rows(const AxisGroups& groups, bool reduced) {
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

}  // namespace

ReducePlan::ReducePlan(const Shape& shape, AxisMask reduced)
    : kept_rows_(outer_rows(AxisGroups(shape, reduced), false)),
      reduced_rows_(outer_rows(AxisGroups(shape, reduced), true)) {
  const AxisGroups groups(shape, reduced);
  inner_ = groups.inner().size;
  inner_kept_ = !groups.inner().reduced;
  kept_ = groups.outer_count(false);
  reduced_ = groups.outer_count(true);
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
