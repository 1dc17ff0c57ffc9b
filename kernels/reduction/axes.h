// SPDX-License-Identifier: Apache-2.0
// Which axes a reduction sums over, and how its result lies over its input.
#pragma once

#include <bitset>
#include <span>
#include <string_view>

#include "kernels/op.h"
#include "kernels/shape.h"

namespace chiasm {

// Bit i is set when axis i is reduced.
using AxisMask = std::bitset<kMaxRank>;

// No axis in `axes` means all of them; negative axes count from the end. Throws ShapeError on an axis out of range or
// named twice.
AxisMask reduced_axes(std::string_view op, std::span<const int> axes, int rank);

// The axes along which a tensor of shape `to` was repeated to reach shape `from`. REQUIRES: broadcasts_to(to, from).
AxisMask broadcast_axes(const Shape& to, const Shape& from);

// The shape of the result: reduced axes have size 1 with keep_axes, and are left out without.
Shape reduced_shape(const Shape& shape, AxisMask reduced, bool keep_axes);

// How many elements of `shape` go into one element of the result.
std::int64_t reduced_count(const Shape& shape, AxisMask reduced);

// Samples stay apart when axis 0 is kept.
BatchRule batch_rule_of_axes(std::span<const int> axes, const Shape& shape);

// Strides of a result over the axes of the input: zero along reduced axes. `rank` is the input's; the result holds the
// kept axes, innermost aligned, with or without (any number of) the reduced ones as size 1.
Strides strides_over_input(const Shape& result, const Strides& strides, AxisMask reduced, int rank);

}  // namespace chiasm
