// SPDX-License-Identifier: Apache-2.0
// Row-wise work over the last axis, and the log of a sum of exponentials that softmax and cross-entropy share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/elementwise/approximations.h"
#include "kernels/reduction/lanes.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace chiasm {

// `shape` without its last axis. REQUIRES: at least one axis.
inline Shape without_last(const Shape& shape) { return Shape(shape.sizes().first(shape.sizes().size() - 1)); }

// Rows of `length` that are worth handing to a thread.
inline std::int64_t row_grain(std::int64_t length) {
  return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, length));
}

// log(sum of e^x) = largest + log_sum; adding the two last keeps the digits of log_sum when all x are large.
template <class T>
struct LogSum {
  T largest;
  T sum;  // of e^(x - largest), at least 1
  T log_sum() const { return std::log(sum); }
};

// The reference, over a strided row. A NaN makes both NaN.
template <class T>
LogSum<T> log_sum(const T* x, std::int64_t stride, std::int64_t count) {
  LogSum<T> result{x[0], T(0)};
  for (std::int64_t i = 0; i < count; ++i) {
    const T value = x[i * stride];
    if (value > result.largest || value != value) result.largest = value;
  }
  for (std::int64_t i = 0; i < count; ++i) result.sum += std::exp(x[i * stride] - result.largest);
  return result;
}

// The same for a dense float32 row, inside with_widest_isa.
CHIASM_INLINE_LAMBDA inline LogSum<float> log_sum_dense(const float* x, std::int64_t count) {
  using One = std::array<float, 1>;
  const float largest =
      reduce_run<1>(count, MaxOf{}, [x](std::int64_t i) CHIASM_INLINE_LAMBDA { return One{x[i]}; })[0];
  // Exponentials first, then their sum: two loops that vectorise, where the one over lanes does not.
  constexpr std::int64_t kBlock = 256;
  float block[kBlock];
  float sum = 0.0f;
  for (std::int64_t start = 0; start < count; start += kBlock) {
    const std::int64_t length = std::min(kBlock, count - start);
    for (std::int64_t i = 0; i < length; ++i) block[i] = approx::exp(x[start + i] - largest);
    const float* from = block;
    sum += reduce_run<1>(length, SumOf{}, [from](std::int64_t i) CHIASM_INLINE_LAMBDA { return One{from[i]}; })[0];
  }
  return {largest, sum};
}

}  // namespace chiasm
