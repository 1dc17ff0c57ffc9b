// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/one_to_one.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/maps/map.h"
#include "analysis/statistics/correlation.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// The vector of spec/neural_analysis.md section 12, with two stimuli more to predict.
TEST(OneToOne, AgreesWithTheSpec) {
  const Source<double> source(Matrix<double>(7, 3, {1, 2, 0, 2, 1, 1, 3, 5, 0, 4, 3, 2, 5, 9, 1, 70, 80, 90, 7, 8, 9}));
  const Matrix<double> y(5, 1, {1, 2.5, 2, 4.5, 4});
  const std::vector<std::int64_t> rows{0, 1, 2, 3, 4};
  const CpuStream stream(1);
  const BestUnits best = best_units<double>(stream, source, rows, column_moments<double>(stream, source, rows), y);
  EXPECT_EQ(best.unit, std::vector<std::int64_t>{2});
  EXPECT_NEAR(best.correlation[0], 0.8919702997, 5e-11);  // ten decimals are given
  MapReport report;
  const auto map = make_map<double>({.method = "one-to-one"});
  const auto prepared = map->prepare(stream, source, {rows, {6, 5}});
  EXPECT_EQ(prepared->predict(stream, y, &report), (Matrix<double>(2, 1, {9, 90})));
  EXPECT_EQ(report.unit, std::vector<std::int64_t>{2});
}

template <class T>
Matrix<T> waves(std::int64_t rows, std::int64_t columns, double seed) {
  Matrix<T> x(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < columns; ++k) {
      x(i, k) = static_cast<T>(std::sin(seed * static_cast<double>((i + 1) * (k + 3)) + static_cast<double>(i)));
    }
  }
  return x;
}

// More units and rows than a task takes at once, with the training rows in another order than the stimuli.
TEST(OneToOne, IsThePlainSearchWhateverTheThreadsAndBlocks) {
  const Matrix<float> x = waves<float>(700, 300, 0.7), y = waves<float>(600, 5, 1.9);
  const Split split = random_split(3, 700, 600.0 / 700.0);
  const CpuStream stream(2);
  const auto map = make_map<float>({.method = "one-to-one"});
  MapReport report;
  const Matrix<float> predictions = map->prepare(stream, Source<float>(x), split)->predict(stream, y, &report);
  const Matrix<float> train = take_rows<float>(x, split.train);
  for (std::int64_t k = 0; k < 5; ++k) {
    std::int64_t best = 0;
    double best_r = -2.0;
    for (std::int64_t u = 0; u < 300; ++u) {
      const double r = column_pearson<float>({train.data() + u, 600, 1, 300}, {y.data() + k, 600, 1, 5})[0];
      if (r > best_r) best = u, best_r = r;
    }
    EXPECT_EQ(report.unit[static_cast<std::size_t>(k)], best);
    for (std::int64_t i = 0; i < predictions.rows(); ++i) {
      EXPECT_EQ(predictions(i, k), x(split.test[static_cast<std::size_t>(i)], best));
    }
  }
  const auto read = [&](std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < count; ++i) rows.push_back(first + i);
    return take_rows<float>(x, rows);
  };
  const Source<float> large(700, 300, read, 64 * 300 * 4);
  const CpuStream one(1);
  EXPECT_EQ(map->prepare(one, large, split)->predict(one, y), predictions);
  EXPECT_EQ(map->prepare(one, Source<float>(x), split)->predict(one, y), predictions);
}

TEST(OneToOne, SignedCorrelationsTiesAndPositiveScales) {
  // Unit 0 is constant, 1 is the target turned over, 2 to 4 are the target itself on other scales.
  const Matrix<double> x(4, 5, {1, -1, 3, 1, 10.5, 1, -4, 9, 4, 12, 1, -2, 5, 2, 11, 1, -7, 15, 7, 13.5});
  const Matrix<double> y(3, 1, {1, 4, 2});
  const CpuStream stream(1);
  const auto map = make_map<double>({.method = "one-to-one"});
  MapReport report;
  const Matrix<double> predicted =
      map->prepare(stream, Source<double>(x), {{0, 1, 2}, {3}})->predict(stream, y, &report);
  EXPECT_EQ(report.unit[0], 2);
  EXPECT_EQ(predicted(0, 0), 15.0);
}

TEST(OneToOne, TargetsThatCannotBeFittedAreCounted) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Source<double> source(Matrix<double>(4, 2, {1, 2, 2, 1, 3, 5, 4, 3}));
  const Matrix<double> y(3, 4, {1, 0.1, nan, 3, 2, 0.1, 1, 2, 3, 0.1, 1, 1});
  const CpuStream stream(1);
  MapReport report;
  const auto prepared = make_map<double>({.method = "one-to-one"})->prepare(stream, source, {{0, 1, 2}, {3}});
  const Matrix<double> predicted = prepared->predict(stream, y, &report);
  EXPECT_EQ(report.unit, (std::vector<std::int64_t>{0, -1, -1, 1}));
  EXPECT_EQ(report.constant, 1);
  EXPECT_EQ(report.not_finite, 1);
  EXPECT_EQ(predicted(0, 0), 4.0);
  EXPECT_EQ(predicted(0, 1), 0.1);
  EXPECT_TRUE(std::isnan(predicted(0, 2)));
  EXPECT_EQ(predicted(0, 3), 3.0);
  // A source without variance: the mean.
  const auto flat = make_map<double>({.method = "one-to-one"})
                        ->prepare(stream, Source<double>(Matrix<double>(4, 2)), {{0, 1, 2}, {3}});
  EXPECT_EQ(flat->predict(stream, y, &report)(0, 0), 2.0);
  EXPECT_EQ(report.unit[0], -1);
}

TEST(Maps, RefuseWhatDoesNotFit) {
  const CpuStream stream(1);
  const Source<double> source(Matrix<double>(4, 2));
  const auto map = make_map<double>({.method = "one-to-one"});
  EXPECT_THROW(map->prepare(stream, source, {{0, 4}, {1}}), InputError);
  EXPECT_THROW(map->prepare(stream, source, {{0, 1}, {}}), InputError);
  EXPECT_THROW(map->prepare(stream, source, {{0, 1}, {2}})->predict(stream, Matrix<double>(3, 1)), ShapeError);
  try {
    make_map<float>({.method = "nearest"});
    FAIL() << "not noticed";
  } catch (const InputError& error) {
    for (const std::string& name : map_methods()) EXPECT_NE(std::string(error.what()).find(name), std::string::npos);
  }
}

}  // namespace
}  // namespace chiasm
