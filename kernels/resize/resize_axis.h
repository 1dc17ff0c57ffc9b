// SPDX-License-Identifier: Apache-2.0
// ResizeAxis: which rows (or columns) of x an output row of Resize2d reads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/resize/resize2d.h"
#include "kernels/simd.h"

namespace chiasm {

// An output row (or column) is (1 - weight) x[low] + weight x[high].
struct ResizeTap {
  std::int64_t low;
  std::int64_t high;
  double weight;
};

class ResizeAxis {
 public:
  // The source coordinate is (slope i + offset) / denominator: in integers, so that floor() is exact.
  ResizeAxis(std::int64_t in, std::int64_t out, ResizeConvention convention) : in_(in) {
    if (convention == ResizeConvention::kAlignCorners) {
      slope_ = out == 1 ? 0 : in - 1;
      denominator_ = out == 1 ? 1 : out - 1;
    } else {
      slope_ = 2 * in;
      offset_ = in - out;
      denominator_ = 2 * out;
    }
  }
  inline CHIASM_INLINE_LAMBDA ResizeTap tap(std::int64_t i) const {
    const std::int64_t numerator = std::max<std::int64_t>(slope_ * i + offset_, 0);
    const std::int64_t low = numerator / denominator_;
    const std::int64_t rest = numerator - low * denominator_;
    // At the last row, or exactly on a row, there is no second one.
    const std::int64_t high = rest == 0 || low + 1 == in_ ? low : low + 1;
    return {low, high, static_cast<double>(rest) / static_cast<double>(denominator_)};
  }

  std::int64_t in() const { return in_; }
  std::int64_t slope() const { return slope_; }
  std::int64_t offset() const { return offset_; }
  std::int64_t denominator() const { return denominator_; }

 private:
  std::int64_t in_;
  std::int64_t slope_ = 0;
  std::int64_t offset_ = 0;
  std::int64_t denominator_ = 1;
};

}  // namespace chiasm
