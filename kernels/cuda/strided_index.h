// SPDX-License-Identifier: Apache-2.0
// StridedIndex: where element i of a result lies in each of several strided tensors (stride zero along broadcast axes),
// with axes merged as far as the strides allow (LoopNest). It travels in the parameters of a kernel.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/cuda/fast_division.h"
#include "kernels/elementwise/loop_nest.h"

namespace chiasm {

template <int kTensors>
struct StridedIndex {
  int rank = 0;
  FastDivision sizes[kMaxRank];
  std::int64_t strides[kTensors][kMaxRank];

  // offset[k] is that of element i in tensor k. REQUIRES: i < 2^31.
  CHIASM_HOST_DEVICE void offsets(std::uint32_t i, std::int64_t (&offset)[kTensors]) const {
    for (int k = 0; k < kTensors; ++k) offset[k] = 0;
    for (int axis = rank - 1; axis > 0; --axis) {
      const std::uint32_t outer = sizes[axis].quotient(i);
      const std::int64_t index = i - outer * sizes[axis].divisor();
      i = outer;
      for (int k = 0; k < kTensors; ++k) offset[k] += index * strides[k][axis];
    }
    for (int k = 0; k < kTensors; ++k) offset[k] += i * strides[k][0];
  }
};

// Calls body(index, count, base) for pieces of fewer than 2^31 elements that cover the nest: element i < count of a
// piece lies at base[k] + index.offsets(i)[k].
template <int kTensors, class Body>
void for_each_piece(const LoopNest<kTensors>& nest, Body&& body) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  int rank = nest.rank();
  std::int64_t inner = 1;  // elements of the axes from `first` on
  int first = rank;
  while (first > 0 && nest.size(first - 1) <= kLimit / (inner > 0 ? inner : 1)) inner *= nest.size(--first);
  if (inner == 0) return;
  std::int64_t outer = 1, cut = 1, step = 1;  // axis first - 1 is cut into pieces of `step` indices
  for (int axis = 0; axis < first; ++axis) {
    if (nest.size(axis) == 0) return;
    if (axis < first - 1) outer *= nest.size(axis);
  }
  if (first > 0) {
    step = kLimit / inner;
    cut = (nest.size(first - 1) + step - 1) / step;
  }
  for (std::int64_t piece = 0; piece < outer * cut; ++piece) {
    std::array<std::int64_t, kTensors> base{};
    std::int64_t rest = piece / cut;
    for (int axis = first - 2; axis >= 0; --axis) {
      for (int k = 0; k < kTensors; ++k) base[k] += rest % nest.size(axis) * nest.stride(k, axis);
      rest /= nest.size(axis);
    }
    StridedIndex<kTensors> index{};
    std::int64_t count = inner;
    const auto add_axis = [&](std::int64_t size, int axis) {
      index.sizes[index.rank] = FastDivision(size);
      for (int k = 0; k < kTensors; ++k) index.strides[k][index.rank] = nest.stride(k, axis);
      ++index.rank;
    };
    if (first > 0) {
      const std::int64_t begin = piece % cut * step;
      const std::int64_t size = nest.size(first - 1) - begin < step ? nest.size(first - 1) - begin : step;
      for (int k = 0; k < kTensors; ++k) base[k] += begin * nest.stride(k, first - 1);
      add_axis(size, first - 1);
      count *= size;
    }
    for (int axis = first; axis < rank; ++axis) add_axis(nest.size(axis), axis);
    body(index, count, base);
  }
}

}  // namespace chiasm
