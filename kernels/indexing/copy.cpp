// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/copy.h"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise/loop_nest.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 32768;

// The axis along which `from` is contiguous while `to` is contiguous along the innermost one: a transpose. -1: none.
int transposed_axis(const LoopNest<2>& nest) {
  if (nest.row_stride(1) != 1 || nest.row_stride(0) <= 1) return -1;
  for (int axis = 0; axis + 1 < nest.rank(); ++axis) {
    if (nest.stride(0, axis) == 1) return axis;
  }
  return -1;
}

// Square tiles, so that each line of memory that is read or written is used whole while it is in the cache.
template <class T>
void copy_transposed(const CpuStream& stream, const LoopNest<2>& nest, int axis, const T* x, T* y) {
  constexpr std::int64_t kTile = 16;
  const std::int64_t rows = nest.size(axis), columns = nest.row();
  const std::int64_t row_tiles = (rows + kTile - 1) / kTile;
  const std::int64_t x_step = nest.row_stride(0), y_step = nest.stride(1, axis);
  std::int64_t outer = 1;
  for (int k = 0; k + 1 < nest.rank(); ++k) outer *= k == axis ? 1 : nest.size(k);
  const std::int64_t grain = std::max<std::int64_t>(kGrain / (kTile * columns), 1);
  stream.parallel_for(outer * row_tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t row = task % row_tiles * kTile;
      const std::int64_t height = std::min(kTile, rows - row);
      const T* a = x + row;
      T* b = y + row * y_step;
      std::int64_t index = task / row_tiles;
      for (int k = nest.rank() - 2; k >= 0; --k) {
        if (k == axis) continue;
        a += index % nest.size(k) * nest.stride(0, k);
        b += index % nest.size(k) * nest.stride(1, k);
        index /= nest.size(k);
      }
      for (std::int64_t column = 0; column < columns; column += kTile) {
        const std::int64_t width = std::min(kTile, columns - column);
        const T* from = a + column * x_step;
        T* to = b + column;
        if (height == kTile && width == kTile) {
          for (std::int64_t i = 0; i < kTile; ++i) {
#pragma GCC unroll 16
            for (std::int64_t j = 0; j < kTile; ++j) to[i * y_step + j] = from[i + j * x_step];
          }
        } else {
          for (std::int64_t i = 0; i < height; ++i) {
            for (std::int64_t j = 0; j < width; ++j) to[i * y_step + j] = from[i + j * x_step];
          }
        }
      }
    }
  });
}

template <class T>
void copy_runs(const CpuStream& stream, const View& from, const MutableView& to) {
  const T* x = from.as<T>();
  T* y = to.as<T>();
  const LoopNest<2> nest(to.shape(), {from.strides(), to.strides()});
  const std::int64_t x_step = nest.row_stride(0);
  const std::int64_t y_step = nest.row_stride(1);
  if (const int axis = transposed_axis(nest); axis >= 0 && to.elements() > 0) {
    return copy_transposed(stream, nest, axis, x, y);
  }
  stream.parallel_for(to.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    nest.for_rows(begin, end, [&](std::int64_t count, const auto& offset) {
      const T* a = x + offset[0];
      T* b = y + offset[1];
      if (x_step == 1 && y_step == 1) {
        std::memcpy(b, a, static_cast<std::size_t>(count) * sizeof(T));
      } else if (x_step == 0 && y_step == 1) {
        std::fill_n(b, count, *a);
      } else {
        for (std::int64_t i = 0; i < count; ++i) b[i * y_step] = a[i * x_step];
      }
    });
  });
}

}  // namespace

void copy_elements(const CpuStream& stream, const View& from, const MutableView& to) {
  assert(from.spec() == to.spec());
  visit_any(to.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, double>) {
      for_each_offset(
          to.shape(), [&](std::int64_t x, std::int64_t y) { to.as<T>()[y] = from.as<T>()[x]; }, from.strides(),
          to.strides());
    } else {
      copy_runs<T>(stream, from, to);
    }
  });
}

void fill_elements(const CpuStream& stream, const MutableView& to, double value) {
  visit_any(to.dtype(), [&]<class T>() {
    const T element = static_cast<T>(value);
    copy_elements(stream, View(&element, to.spec(), Strides{}), to);
  });
}

void fill_outside(const CpuStream& stream, const MutableView& to, std::span<const std::int64_t> starts,
                  const Shape& sizes, double value) {
  // One slab before and one after the box along each axis: inside the box along the axes before it, whole along those
  // after.
  std::array<std::int64_t, kMaxRank> begin{};
  Shape slab = to.shape();
  const std::span<const std::int64_t> from(begin.data(), static_cast<std::size_t>(slab.rank()));
  for (int axis = 0; axis < slab.rank(); ++axis) {
    const std::int64_t size = to.shape()[axis];
    fill_elements(stream, box_of(to, from, slab.with(axis, starts[axis])), value);
    begin[axis] = starts[axis] + sizes[axis];
    fill_elements(stream, box_of(to, from, slab.with(axis, size - begin[axis])), value);
    begin[axis] = starts[axis];
    slab = slab.with(axis, sizes[axis]);
  }
}

}  // namespace chiasm
