// SPDX-License-Identifier: Apache-2.0
// One number for many units: median and standard error, and how many values they rest on.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace chiasm {

struct Summary {
  std::int64_t count = 0;    // values that the rest is about
  std::int64_t dropped = 0;  // NaNs, which it is not about
  // NaN where count is too small: 1 is needed for the first two, 2 for the others.
  double mean = std::numeric_limits<double>::quiet_NaN();
  double median = std::numeric_limits<double>::quiet_NaN();  // of an even count, the mean of the middle two
  double sd = std::numeric_limits<double>::quiet_NaN();      // divisor count - 1
  double sem = std::numeric_limits<double>::quiet_NaN();     // sd / sqrt(count)
};

// spec/neural_analysis.md section 2: NaNs are left out, and counted.
Summary summarise(std::span<const double> values);

}  // namespace chiasm
