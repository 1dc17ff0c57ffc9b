// SPDX-License-Identifier: Apache-2.0
// Moving elements between strided views, and views of a part of a tensor: what the ops of this folder are made of.
// float64 goes through the naive loop over every index; other types go through the fewest and longest runs that the
// strides allow.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/op.h"

namespace chiasm {

// to[i] = from[i] for every index of their common shape. `from` may be broadcast (stride zero).
// REQUIRES: equal specs, no overlap.
void copy_elements(const CpuStream& stream, const View& from, const MutableView& to);

// to[i] = value, converted to the element type.
void fill_elements(const CpuStream& stream, const MutableView& to, double value);

// to[i] = value outside the box that begins at `starts` and has shape `sizes`; the box is left alone.
void fill_outside(const CpuStream& stream, const MutableView& to, std::span<const std::int64_t> starts,
                  const Shape& sizes, double value);

// Whether neighbours along `axis` are as far apart as tensors can be: every axis before it has one index.
inline bool outermost(const Shape& shape, int axis) {
  for (int before = 0; before < axis; ++before) {
    if (shape[before] != 1) return false;
  }
  return true;
}

// The box of `view` that begins at `starts` and has shape `sizes`. REQUIRES: it lies inside, one start per axis.
template <class Void>
BasicView<Void> box_of(const BasicView<Void>& view, std::span<const std::int64_t> starts, const Shape& sizes) {
  using Byte = std::conditional_t<std::is_const_v<Void>, const std::byte, std::byte>;
  std::int64_t offset = 0;
  for (int axis = 0; axis < sizes.rank(); ++axis) offset += starts[axis] * view.strides()[axis];
  Byte* data = static_cast<Byte*>(view.data()) + offset * static_cast<std::int64_t>(size_of(view.dtype()));
  return BasicView<Void>(data, Spec{view.dtype(), sizes}, view.strides());
}

}  // namespace chiasm
