// SPDX-License-Identifier: Apache-2.0
#include "kernels/shape.h"

#include <algorithm>
#include <limits>

#include "kernels/error.h"

namespace chiasm {

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) {
  if (sizes.size() > kMaxRank) {
    throw ShapeError("a tensor has at most " + std::to_string(kMaxRank) + " axes, found " +
                     std::to_string(sizes.size()));
  }
  rank_ = static_cast<int>(sizes.size());
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  std::int64_t count = 1;
  for (std::int64_t size : sizes) {
    if (size < 0) throw ShapeError("negative size in shape " + to_string(*this));
    if (size > 0 && count > std::numeric_limits<std::int64_t>::max() / size) {
      throw ShapeError("shape " + to_string(*this) + " has more elements than fit 63 bits");
    }
    count *= std::max<std::int64_t>(size, 1);
  }
}

std::int64_t Shape::at(int axis) const { return sizes_[normalise_axis("shape", axis, rank_)]; }

std::int64_t Shape::elements() const {
  std::int64_t count = 1;
  for (std::int64_t size : sizes()) count *= size;
  return count;
}

Shape Shape::with(int axis, std::int64_t size) const {
  Shape result = *this;
  result.sizes_[normalise_axis("shape", axis, rank_)] = size;
  return Shape(result.sizes());
}

Strides Shape::row_major() const {
  Strides strides{};
  std::int64_t step = 1;
  for (int axis = rank_ - 1; axis >= 0; --axis) {
    strides[axis] = step;
    step *= sizes_[axis];
  }
  return strides;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + "]";
}

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, kMaxRank> sizes{};
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t left = i <= a.rank() ? a[a.rank() - i] : 1;
    const std::int64_t right = i <= b.rank() ? b[b.rank() - i] : 1;
    if (left != right && left != 1 && right != 1) {
      throw ShapeError(std::string("[") + op + "] shapes " + to_string(a) + " and " + to_string(b) +
                       " do not broadcast");
    }
    sizes[rank - i] = left == 1 ? right : left;
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (int i = 1; i <= from.rank(); ++i) {
    const std::int64_t size = from[from.rank() - i];
    if (size != 1 && size != to[to.rank() - i]) return false;
  }
  return true;
}

int normalise_axis(const char* op, int axis, int rank) {
  if (axis < -rank || axis >= rank) {
    throw ShapeError(std::string("[") + op + "] axis " + std::to_string(axis) +
                     " is outside a tensor of rank " + std::to_string(rank));
  }
  return axis < 0 ? axis + rank : axis;
}

}  // namespace chiasm
