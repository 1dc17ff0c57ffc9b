// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/ridge.h"

#include <gtest/gtest.h>

#include "kernels/error.h"
#include "tests/analysis/maps/map_cases.h"

namespace chiasm::test {
namespace {

const std::vector<double> kAlphas{1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1e3, 1e4, 1e5};

std::unique_ptr<PreparedMap<double>> prepare(const CpuStream& stream, const Matrix<double>& x, const Split& split,
                                             const std::vector<double>& alphas, int folds = 0) {
  return make_map<double>({.method = "ridge", .alphas = alphas, .folds = folds})
      ->prepare(stream, Source<double>(x), split);
}

// Both ways, whatever the shape.
std::vector<RidgeBasis<double>> bases(const CpuStream& stream, const MapData& data) {
  const Source<double> source(data.x);
  const CentredGram gram = centred_gram(source.gram(stream), data.split);
  Matrix<double> train = take_rows<double>(data.x, data.split.train);
  Matrix<double> test = take_rows<double>(data.x, data.split.test);
  for (std::int64_t k = 0; k < train.columns(); ++k) {
    double mean = 0.0;
    for (std::int64_t i = 0; i < train.rows(); ++i) mean += train(i, k) / static_cast<double>(train.rows());
    for (std::int64_t i = 0; i < train.rows(); ++i) train(i, k) -= mean;
    for (std::int64_t i = 0; i < test.rows(); ++i) test(i, k) -= mean;
  }
  return {ridge_basis<double>(stream, gram), ridge_basis<double>(stream, train, test)};
}

// The vector of spec/neural_analysis.md section 12; rows 0 and the unit vectors show the intercept and coefficients.
TEST(Ridge, AgreesWithTheSpec) {
  const Matrix<double> x(12, 3, {1, 0, 2, 2, 1, 0, 0, 3, 1, 4, 1, 1, 3, 2, 5, 1, 4, 2,
                                 2, 2, 2, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1});
  const Matrix<double> y(6, 2, {1, .5, 2, -1, .5, 3, 4, 0, 6, 2.5, 1.5, 4});
  const double a = -.5386395843, b = -.2723665564;
  const Matrix<double> expected(6, 2,
                                {2.7762399622, 1.6611242324, .0303731696, .1982050071, a, b, a + .9951818611,
                                 b - .3603684459, a + .0932451582, b + .8565422768, a + .5690127539, b + .4705715635});
  const CpuStream stream(1);
  const Split split{{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}};
  EXPECT_LT(distance(prepare(stream, x, split, {1.0})->predict(stream, y), expected), 1.1e-10);  // ten decimals, twice
  for (const RidgeBasis<double>& basis : bases(stream, {x, y, split})) {
    EXPECT_LT(distance(ridge_predict<double>(stream, basis, y, std::vector<double>{1, 1}), expected), 1.1e-10);
  }
}

TEST(Ridge, AgreesWithScikitLearn) {
  const Golden golden("ridge");
  const CpuStream stream(2);
  for (const MapCase& c : kMapCases) {
    const MapData data = map_data(c);
    EXPECT_LT(distance(prepare(stream, data.x, data.split, {1e-3})->predict(stream, data.y),
                       golden.at(c.name + "/predicted0.001")),
              1e-9)
        << c.name;
    EXPECT_LT(distance(prepare(stream, data.x, data.split, {1.0})->predict(stream, data.y),
                       golden.at(c.name + "/predicted1")),
              1e-9)
        << c.name;
    MapReport report;
    const Matrix<double> predicted = prepare(stream, data.x, data.split, kAlphas)->predict(stream, data.y, &report);
    EXPECT_LT(distance(predicted, golden.at(c.name + "/loo/predicted")), 1e-9) << c.name;
    for (std::int64_t k = 0; k < c.targets; ++k) {
      EXPECT_EQ(std::log10(report.alpha[static_cast<std::size_t>(k)]),
                golden.at(c.name + "/loo/alpha").values<double>()[k]);
    }
  }
}

TEST(Ridge, LeaveOneOutErrorsAgreeWithScikitLearnBothWays) {
  const Golden golden("ridge");
  const CpuStream stream(2);
  for (const MapCase& c : kMapCases) {
    const MapData data = map_data(c);
    for (const RidgeBasis<double>& basis : bases(stream, data)) {
      // From features with as many units as rows the leverage is 1 but for the penalty, of which 1e-4 of the largest
      // d^2 of 1e2 keeps ten digits of the error.
      EXPECT_LT(
          distance(leave_one_out_errors<double>(stream, basis, data.y, kAlphas), golden.at(c.name + "/loo/errors")),
          1e-8)
          << c.name << basis.from_products;
    }
  }
}

// What the map maximises: the sum over folds is 3 times scikit-learn's mean.
TEST(Ridge, FoldsAgreeWithScikitLearn) {
  const Golden golden("ridge");
  const CpuStream stream(2);
  for (const MapCase& c : kMapCases) {
    const MapData data = map_data(c);
    Matrix<double> mean(std::ssize(kAlphas), c.targets);
    for (const Split& fold : contiguous_folds(c.rows, 3)) {
      const Matrix<double> train = take_rows<double>(data.y, fold.train), test = take_rows<double>(data.y, fold.test);
      const auto basis = bases(stream, {data.x, train, fold})[c.units > c.rows ? 0 : 1];
      const Matrix<double> r = test_correlations<double>(stream, basis, train, test, kAlphas);
      for (std::size_t i = 0; i < mean.values().size(); ++i) mean.values()[i] += r.values()[i] / 3;
    }
    EXPECT_LT(distance(mean, golden.at(c.name + "/folds/scores")), 1e-9) << c.name;
    MapReport report;
    prepare(stream, data.x, data.split, kAlphas, 3)->predict(stream, data.y, &report);
    for (std::int64_t k = 0; k < c.targets; ++k) {
      const auto chosen = std::ranges::find(kAlphas, report.alpha[static_cast<std::size_t>(k)]) - kAlphas.begin();
      for (std::int64_t a = 0; a < mean.rows(); ++a) EXPECT_GE(mean(chosen, k), mean(a, k) - 1e-12) << c.name << k;
    }
  }
}

// Targets without a signal, whose errors at large penalties are alike, and copies of one penalty, of which the first
// counts: where float32 cannot tell, double does.
TEST(Ridge, ChoosesTheLeastErrorHoweverClose) {
  const CpuStream stream(2);
  MapData data = map_data({"wide", 24, 300, 5});
  data.y = Matrix<double>(24, 200, hashed("noise", 4800));
  std::vector<double> alphas = kAlphas;
  for (const double alpha : {10.0, 10.000001, 1e7, 1e8, 1e9}) alphas.push_back(alpha);
  const RidgeBasis<double> basis = bases(stream, data)[0];
  const Matrix<double> errors = leave_one_out_errors<double>(stream, basis, data.y, alphas);
  const std::vector<double> chosen = choose_by_leave_one_out<double>(stream, basis, data.y, alphas);
  for (std::int64_t k = 0; k < 200; ++k) {
    std::size_t best = 0;
    for (std::size_t a = 1; a < alphas.size(); ++a) {
      if (errors(static_cast<std::int64_t>(a), k) < errors(static_cast<std::int64_t>(best), k)) best = a;
    }
    EXPECT_EQ(chosen[static_cast<std::size_t>(k)], alphas[best]) << k;
  }
}

// Leave-one-out against fits that leave one out.
TEST(Ridge, LeaveOneOutIsWhatItSays) {
  const CpuStream stream(1);
  const MapData data = map_data({"wide", 24, 300, 5});
  const std::vector<double> alphas{0.3, 30};
  const Matrix<double> errors = leave_one_out_errors<double>(stream, bases(stream, data)[0], data.y, alphas);
  for (std::int64_t a = 0; a < 2; ++a) {
    std::vector<double> sums(5);
    for (std::int64_t left_out = 0; left_out < 24; ++left_out) {
      Split split{{}, {left_out}};
      for (std::int64_t i = 0; i < 24; ++i) {
        if (i != left_out) split.train.push_back(i);
      }
      const Matrix<double> y = take_rows<double>(data.y, split.train);
      const Matrix<double> predicted = prepare(stream, data.x, split, {alphas[a]})->predict(stream, y);
      for (std::int64_t k = 0; k < 5; ++k) sums[k] += std::pow(data.y(left_out, k) - predicted(0, k), 2) / 24;
    }
    for (std::int64_t k = 0; k < 5; ++k) EXPECT_NEAR(errors(a, k), sums[k], 1e-12);
  }
}

TEST(Ridge, WithoutPenaltyIsLeastSquaresOfLeastNorm) {
  const CpuStream stream(1);
  for (const MapCase& c : kMapCases) {
    const MapData data = map_data(c);
    const Matrix<double> none = prepare(stream, data.x, data.split, {0.0})->predict(stream, data.y);
    // 1e-9 of d^2, of which the least here is 0.1, moves values of order 1 by 1e-8 and less.
    const Matrix<double> little = prepare(stream, data.x, data.split, {1e-9})->predict(stream, data.y);
    EXPECT_LT(distance(little, none), 1e-7) << c.name;
  }
}

TEST(Ridge, IsTheSameForAnyNumberOfThreads) {
  const CpuStream one(1), two(2);
  for (const int folds : {0, 3}) {
    for (const MapCase& c : kMapCases) {
      const MapData data = map_data(c);
      EXPECT_EQ(prepare(one, data.x, data.split, kAlphas, folds)->predict(one, data.y),
                prepare(two, data.x, data.split, kAlphas, folds)->predict(two, data.y))
          << c.name;
    }
  }
}

// 10,000 targets; of copies all get the same, wherever they stand.
TEST(Ridge, TakesTenThousandTargets) {
  const CpuStream stream(2);
  const MapData data = map_data({"many", 40, 60, 10000});
  const Matrix<double> x(40 + kTestRows, 60, hashed("x", 44 * 60));
  const Matrix<double> few(40, 16, hashed("y", 640));
  Matrix<double> y(40, 10000);
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t k = 0; k < 10000; ++k) y(i, k) = few(i, k % 16);
  }
  MapReport report;
  const Matrix<double> predicted = prepare(stream, x, data.split, kAlphas)->predict(stream, y, &report);
  ASSERT_EQ(report.alpha.size(), 10000U);
  const Matrix<double> expected = prepare(stream, x, data.split, kAlphas)->predict(stream, few);
  for (std::int64_t i = 0; i < kTestRows; ++i) {
    for (std::int64_t k = 0; k < 10000; ++k) ASSERT_NEAR(predicted(i, k), expected(i, k % 16), 1e-13);
  }
}

// Rounding of products over at most 300 directions in float32, of values up to 4, amplified by at most |y| /
// sqrt(alpha).
TEST(Ridge, InFloatIsNearDouble) {
  const CpuStream stream(2);
  for (const MapCase& c : kMapCases) {
    const MapData data = map_data(c);
    const auto map = make_map<float>({.method = "ridge", .alphas = {1.0}});
    const Matrix<float> found =
        map->prepare(stream, Source<float>(as<float>(data.x)), data.split)->predict(stream, as<float>(data.y));
    EXPECT_LT(distance(found, prepare(stream, data.x, data.split, {1.0})->predict(stream, data.y)), 1e-5) << c.name;
    MapReport report, expected;
    make_map<float>({.method = "ridge", .alphas = kAlphas})
        ->prepare(stream, Source<float>(as<float>(data.x)), data.split)
        ->predict(stream, as<float>(data.y), &report);
    prepare(stream, data.x, data.split, kAlphas)->predict(stream, data.y, &expected);
    EXPECT_EQ(report.alpha, expected.alpha) << c.name;  // no errors of these targets are as close as 1e-5
  }
}

TEST(Ridge, RefusesWhatItCannotDo) {
  EXPECT_THROW(make_map<double>({.method = "ridge", .alphas = {}}), InputError);
  EXPECT_THROW(make_map<double>({.method = "ridge", .alphas = {-1.0}}), InputError);
  EXPECT_THROW(make_map<double>({.method = "ridge", .alphas = {0.0, 1.0}}), InputError);
  EXPECT_NO_THROW(make_map<double>({.method = "ridge", .alphas = {0.0, 1.0}, .folds = 2}));
  EXPECT_THROW(make_map<double>({.method = "ridge", .alphas = {std::nan("")}}), InputError);
  EXPECT_THROW(make_map<double>({.method = "ridge", .folds = 1}), InputError);
  EXPECT_THROW(make_map<double>({.method = "ridge", .alpha_over_n = true}), InputError);
  const CpuStream stream(1);
  const Matrix<double> x(4, 2, hashed("x", 8));
  EXPECT_THROW(prepare(stream, x, {{0}, {1}}, {1.0}), InputError);
  EXPECT_THROW(prepare(stream, x, {{0, 1}, {2}}, {1.0, 2.0}, 2), InputError);
  EXPECT_THROW(prepare(stream, x, {{0, 1, 2}, {3}}, {1.0, 2.0}, 4), InputError);
}

}  // namespace
}  // namespace chiasm::test
