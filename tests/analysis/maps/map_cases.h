// SPDX-License-Identifier: Apache-2.0
// Sources and targets that the oracles of maps make too: tests/oracles/map_cases.py.
#pragma once

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "analysis/maps/map.h"
#include "analysis/matrix.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"

namespace chiasm::test {

struct MapCase {
  std::string name;
  std::int64_t rows, units, targets;
};
inline const std::vector<MapCase> kMapCases{
    {"tall", 120, 7, 4},      {"square", 40, 45, 6},    {"wide", 24, 300, 5},          {"one_unit", 50, 20, 1},
    {"one_of_one", 12, 1, 1}, {"deficient", 30, 12, 3}, {"many_targets", 20, 100, 60}, {"few_sources", 60, 5, 40}};
constexpr std::int64_t kTestRows = 4;
constexpr std::int64_t kDeficientRank = 4;

struct MapData {
  Matrix<double> x;  // the rows to fit and, behind them, those to predict
  Matrix<double> y;
  Split split;
};

inline MapData map_data(const MapCase& c) {
  MapData data{{c.rows + kTestRows, c.units, hashed(c.name + "/x", (c.rows + kTestRows) * c.units)},
               {c.rows, c.targets, hashed(c.name + "/y", c.rows * c.targets)},
               {}};
  for (std::int64_t i = 0; i < data.x.rows() && c.name == "deficient"; ++i) {  // rank 4 and two constant columns
    const auto x = data.x.row(i);
    for (std::int64_t k = kDeficientRank; k < c.units - 2; ++k) {
      x[k] = x[k % kDeficientRank] + 0.5 * x[(k + 1) % kDeficientRank];
    }
    x[c.units - 2] = x[c.units - 1] = 0.5;
  }
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t k = 0; k < c.targets; ++k) data.y(i, k) = 0.5 * data.y(i, k) + data.x(i, k % c.units) + 3.0;
  }
  data.split.train.resize(static_cast<std::size_t>(c.rows));
  data.split.test.resize(kTestRows);
  std::iota(data.split.train.begin(), data.split.train.end(), 0);
  std::iota(data.split.test.begin(), data.split.test.end(), c.rows);
  return data;
}

template <class T>
Matrix<T> as(const Matrix<double>& x) {
  Matrix<T> result(x.rows(), x.columns());
  std::ranges::transform(x.values(), result.values().begin(), [](double v) { return static_cast<T>(v); });
  return result;
}

// The largest distance over the columns that the golden file holds, where a NaN is infinitely far.
template <class T>
double distance(const Matrix<T>& found, const Tensor& expected) {
  const std::int64_t columns = expected.shape().rank() == 2 ? expected.shape()[1] : 1;
  double largest = found.rows() == expected.shape()[0] && found.columns() >= columns ? 0.0 : HUGE_VAL;
  for (std::int64_t i = 0; i < found.rows() && largest < HUGE_VAL; ++i) {
    for (std::int64_t k = 0; k < columns; ++k) {
      const double d = std::abs(static_cast<double>(found(i, k)) - expected.values<double>()[i * columns + k]);
      largest = d <= HUGE_VAL ? std::max(largest, d) : HUGE_VAL;
    }
  }
  return largest;
}

// The same between matrices of one shape.
template <class T>
double distance(const Matrix<T>& found, const Matrix<double>& expected) {
  return distance(found, tensor_of<double>(expected));
}

}  // namespace chiasm::test
