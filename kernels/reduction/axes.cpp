// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/axes.h"

#include <array>

#include "kernels/error.h"

namespace chiasm {

AxisMask reduced_axes(std::string_view op, std::span<const int> axes, int rank) {
  AxisMask reduced;
  for (int axis = 0; axis < rank && axes.empty(); ++axis) reduced.set(static_cast<std::size_t>(axis));
  for (int axis : axes) {
    const auto bit = static_cast<std::size_t>(normalise_axis(std::string(op).c_str(), axis, rank));
    if (reduced[bit]) throw ShapeError("[" + std::string(op) + "] axis " + std::to_string(axis) + " is named twice");
    reduced.set(bit);
  }
  return reduced;
}

AxisMask broadcast_axes(const Shape& to, const Shape& from) {
  AxisMask reduced;
  const int added = from.rank() - to.rank();
  for (int axis = 0; axis < from.rank(); ++axis) {
    reduced.set(static_cast<std::size_t>(axis), axis < added || to[axis - added] != from[axis]);
  }
  return reduced;
}

Shape reduced_shape(const Shape& shape, AxisMask reduced, bool keep_axes) {
  std::array<std::int64_t, kMaxRank> sizes{};
  std::size_t rank = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const bool gone = reduced[static_cast<std::size_t>(axis)];
    if (!gone || keep_axes) sizes[rank++] = gone ? 1 : shape[axis];
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), rank));
}

std::int64_t reduced_count(const Shape& shape, AxisMask reduced) {
  std::int64_t count = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) count *= reduced[static_cast<std::size_t>(axis)] ? shape[axis] : 1;
  return count;
}

Strides strides_over_input(const Shape& result, const Strides& strides, AxisMask reduced, int rank) {
  Strides over{};
  const int kept = rank - static_cast<int>(reduced.count());
  // A result of as many axes as are kept has dropped the reduced ones. Any other has kept them as size 1, or has lost
  // some leading ones: aligned at the innermost axis.
  const bool dropped = result.rank() == kept && !reduced.none();
  int from = result.rank() - 1;
  for (int axis = rank - 1; axis >= 0 && from >= 0; --axis) {
    const bool gone = reduced[static_cast<std::size_t>(axis)];
    if (gone && dropped) continue;
    over[axis] = gone ? 0 : strides[from];
    --from;
  }
  return over;
}

BatchRule batch_rule_of_axes(std::span<const int> axes, const Shape& shape) {
  return BatchRule::each_if(shape.rank() > 0 && !reduced_axes("reduction", axes, shape.rank())[0]);
}

}  // namespace chiasm
