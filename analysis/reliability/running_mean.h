// SPDX-License-Identifier: Apache-2.0
// A mean that leaves out, and counts, what is not finite.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace chiasm {

class RunningMean {
 public:
  void add(double value) {
    if (std::isfinite(value)) {
      sum_ += value;
      ++count_;
    } else {
      ++left_out_;
    }
  }
  double mean() const {  // NaN of nothing
    return count_ > 0 ? sum_ / static_cast<double>(count_) : std::numeric_limits<double>::quiet_NaN();
  }
  std::int64_t count() const { return count_; }
  std::int64_t left_out() const { return left_out_; }

 private:
  double sum_ = 0.0;
  std::int64_t count_ = 0, left_out_ = 0;
};

}  // namespace chiasm
