// SPDX-License-Identifier: Apache-2.0
// Comparisons that a NaN cannot pass.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "kernels/view.h"

namespace chiasm::test {

// How far `actual` may lie from `expected`: |a - e| <= relative * (|e| + rms(expected)) + absolute. The root mean
// square stands for the size of the terms that a sum cancels.
struct Tolerance {
  double relative = 0.0;
  double absolute = 0.0;
};

// k * epsilon(type) * sqrt(reduction): rounding errors of a sum of `reduction` terms grow like a random walk; k covers
// the operations around it and is explained where it is set.
Tolerance rounding_tolerance(DType type, double k, double reduction = 1.0);

// Both are compared as double whatever their types; shapes must agree.
testing::AssertionResult near(const View& actual, const View& expected, Tolerance tolerance);
testing::AssertionResult bit_equal(const View& actual, const View& expected);
// Some variation and mostly not zero: a comparison with this reference means something.
testing::AssertionResult not_vacuous(const View& reference);

// Where element i in row-major order is.
std::int64_t offset_at(const Shape& shape, const Strides& strides, std::int64_t index);
// That element, as double.
double value_at(const View& view, std::int64_t index);

}  // namespace chiasm::test
