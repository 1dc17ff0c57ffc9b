// SPDX-License-Identifier: Apache-2.0
// Shape: the sizes of a tensor's axes, outermost first. Images are N x H x W x C, convolution kernels
// kh x kw x Cin x Cout, matrices of weights in x out.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace chiasm {

inline constexpr int kMaxRank = 8;

// Distance between neighbours along each axis, in elements. Zero along a broadcast axis.
using Strides = std::array<std::int64_t, kMaxRank>;

class Shape {
 public:
  Shape() = default;  // rank 0: one element
  Shape(std::initializer_list<std::int64_t> sizes);
  // Throws ShapeError beyond kMaxRank, on a negative size, or when the element count does not fit 63 bits.
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return sizes_[axis]; }
  // Like operator[], with negative axes counted from the end. Throws ShapeError when out of range.
  std::int64_t at(int axis) const;
  std::int64_t elements() const;

  std::span<const std::int64_t> sizes() const { return {sizes_.data(), static_cast<std::size_t>(rank_)}; }
  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }

  // A copy with one axis resized.
  Shape with(int axis, std::int64_t size) const;
  Strides row_major() const;

  bool operator==(const Shape&) const = default;

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

// "[2, 3, 4]"
std::string to_string(const Shape& shape);

// The shape both broadcast to, aligned at the innermost axis. Throws ShapeError naming `op` and both shapes.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

// Whether `from` can be read as `to` (NumPy's rule).
bool broadcasts_to(const Shape& from, const Shape& to);

// Maps axis in [-rank, rank) to [0, rank). Throws ShapeError naming `op`.
int normalise_axis(const char* op, int axis, int rank);

}  // namespace chiasm
