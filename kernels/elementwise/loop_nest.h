// SPDX-License-Identifier: Apache-2.0
// LoopNest: the loops that visit every element of several tensors of one (broadcast) shape, with as few and as long loops
// as their strides allow. A dense tensor is one loop; a bias added to an image is two.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/shape.h"
#include "kernels/simd.h"

namespace chiasm {

template <int Tensors>
class LoopNest {
 public:
  // strides[k] are the strides of tensor k over `shape`, zero along axes it is broadcast over.
  LoopNest(const Shape& shape, const std::array<Strides, Tensors>& strides) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      if (rank_ > 0 && mergeable(shape[axis], axis, strides)) {
        sizes_[rank_ - 1] *= shape[axis];
        for (int k = 0; k < Tensors; ++k) strides_[k][rank_ - 1] = strides[k][axis];
      } else {
        sizes_[rank_] = shape[axis];
        for (int k = 0; k < Tensors; ++k) strides_[k][rank_] = strides[k][axis];
        ++rank_;
      }
    }
    if (rank_ == 0) {
      sizes_[0] = shape.elements();
      for (int k = 0; k < Tensors; ++k) strides_[k][0] = 1;
      rank_ = 1;
    }
  }

  // The merged loops, outermost first.
  int rank() const { return rank_; }
  std::int64_t size(int axis) const { return sizes_[axis]; }
  std::int64_t stride(int tensor, int axis) const { return strides_[tensor][axis]; }

  std::int64_t row() const { return sizes_[rank_ - 1]; }
  std::int64_t row_stride(int tensor) const { return strides_[tensor][rank_ - 1]; }

  // Calls body(count, offsets) for each run along the innermost loop within elements [begin, end).
  template <class Body>
  inline CHIASM_INLINE_LAMBDA void for_rows(std::int64_t begin, std::int64_t end, Body&& body) const {
    const std::int64_t length = row();
    while (begin < end) {
      std::int64_t outer = begin / length;
      const std::int64_t column = begin - outer * length;
      const std::int64_t count = std::min(length - column, end - begin);
      std::array<std::int64_t, Tensors> offsets;
      for (int k = 0; k < Tensors; ++k) offsets[k] = column * strides_[k][rank_ - 1];
      for (int axis = rank_ - 2; axis >= 0; --axis) {
        const std::int64_t index = outer % sizes_[axis];
        outer /= sizes_[axis];
        for (int k = 0; k < Tensors; ++k) offsets[k] += index * strides_[k][axis];
      }
      body(count, offsets);
      begin += count;
    }
  }

 private:
  bool mergeable(std::int64_t size, int axis, const std::array<Strides, Tensors>& strides) const {
    for (int k = 0; k < Tensors; ++k) {
      if (strides_[k][rank_ - 1] != strides[k][axis] * size) return false;
    }
    return true;
  }

  std::array<std::int64_t, kMaxRank> sizes_{};
  std::array<std::array<std::int64_t, kMaxRank>, Tensors> strides_{};
  int rank_ = 0;
};

}  // namespace chiasm
