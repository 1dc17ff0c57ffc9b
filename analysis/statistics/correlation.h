// SPDX-License-Identifier: Apache-2.0
// Pearson correlation, signed, in double whatever the element type.
#pragma once

#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

// r(a, b). NaN where either has no variance (all values equal), has fewer than two values, or holds a NaN: no value is
// left out silently. REQUIRES: equal lengths.
template <class T>
double pearson(std::span<const T> a, std::span<const T> b);

// r of column k of `a` with column k of `b`, for every k. REQUIRES: equal shapes.
template <class T>
std::vector<double> column_pearson(MatrixView<T> a, MatrixView<T> b);

}  // namespace chiasm
