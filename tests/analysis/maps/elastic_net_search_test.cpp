// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/elastic_net_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/maps/map.h"
#include "analysis/statistics/correlation.h"
#include "kernels/error.h"
#include "tests/support/golden.h"
#include "tests/support/run.h"

namespace chiasm {
namespace {

using test::list;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

ElasticNetGrid grid_of(const test::Golden& golden, const std::string& name) {
  return {list<double>(golden.at(name + "/alphas")), list<double>(golden.at(name + "/ratios")), true, 2};
}

TEST(ElasticNetSearch, ScoresAreThoseOfScikitLearn) {
  const test::Golden golden("elastic_net_search");
  for (const std::string name : {"wide", "tall", "one"}) {
    const Matrix<double> x = matrix_of<double>(golden.at(name + "/x")), y = matrix_of<double>(golden.at(name + "/y"));
    const ElasticNetScores scores = elastic_net_scores<double>(CpuStream(2), x, y, grid_of(golden, name));
    EXPECT_EQ(scores.not_converged, 0);
    const Matrix<double> expected = matrix_of<double>(golden.at(name + "/scores"));
    int undefined = 0;
    for (std::int64_t k = 0; k < y.columns(); ++k) {
      for (std::int64_t i = 0; i < expected.columns(); ++i) {
        SCOPED_TRACE(name + " target " + std::to_string(k) + " pair " + std::to_string(i));
        EXPECT_EQ(std::isnan(scores.r(k, i)), expected(k, i) == -9.0);
        undefined += expected(k, i) == -9.0;
        // What the oracle's tolerance of 1e-13 leaves.
        if (expected(k, i) != -9.0) {
          EXPECT_NEAR(scores.r(k, i), expected(k, i), 1e-7);
        }
      }
      // With one regressor all fits correlate alike, and which is first is rounding.
      if (name != "one") {
        EXPECT_EQ(best_pair(scores.r.row(k)), golden.at(name + "/best").values<std::int32_t>()[k]);
      }
    }
    EXPECT_GT(undefined, 0);
  }
}

Matrix<double> random_matrix(std::int64_t rows, std::int64_t columns, int seed, double common) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::normal_distribution<double> normal;
  Matrix<double> x(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    const double shared = normal(random);
    for (std::int64_t k = 0; k < columns; ++k) x(i, k) = normal(random) + common * shared;
  }
  return x;
}

// What the search follows from penalty to penalty is what each fit finds alone, along the whole published grid.
TEST(ElasticNetSearch, PathsAreFitsOfTheirOwn) {
  const Matrix<double> x = random_matrix(24, 40, 5, 1.0);
  Matrix<double> y = random_matrix(24, 2, 6, 0.0);
  for (std::int64_t i = 0; i < 24; ++i) y(i, 0) += x(i, 1) + x(i, 7);
  ElasticNetGrid grid = mec_grid();
  const ElasticNetScores scores = elastic_net_scores<double>(CpuStream(2), x, y, grid);
  EXPECT_EQ(scores.not_converged, 0);
  const CpuStream stream(1);
  const std::vector<Split> folds = contiguous_folds(24, 2);
  for (std::int64_t i = 0; i < grid.pairs(); i += 211) {
    double sum[2] = {};
    for (const Split& fold : folds) {
      const Matrix<double> train = take_rows<double>(x, fold.train), test = take_rows<double>(x, fold.test);
      const ElasticNet net(stream, train.view());
      const Penalty penalty = grid.pair(i, net.rows());
      const ElasticNetFit fit = net.minimum(stream, take_rows<double>(y, fold.train), {&penalty, 1});
      const auto r = column_pearson<double>(net.predict(stream, test.view(), fit), take_rows<double>(y, fold.test));
      for (int k = 0; k < 2; ++k) sum[k] += r[static_cast<std::size_t>(k)] / 2;
    }
    for (int k = 0; k < 2; ++k) {
      EXPECT_EQ(std::isnan(scores.r(k, i)), std::isnan(sum[k])) << i;
      // Penalties of 1e9 leave weights of 1e-8 and a ratio of 1e-16 weighs in at 1e-8 of those.
      if (!std::isnan(sum[k])) {
        EXPECT_NEAR(scores.r(k, i), sum[k], 1e-7) << i;
      }
    }
  }
  // The same bits for any number of threads.
  const ElasticNetScores again = elastic_net_scores<double>(CpuStream(3), x, y, grid);
  for (std::size_t i = 0; i < again.r.values().size(); ++i) {
    const double a = again.r.values()[i], b = scores.r.values()[i];
    EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b)));
  }
}

TEST(ElasticNetSearch, GridsAreThoseOfTheSpecification) {
  const ElasticNetGrid whole = mec_grid(), few = mec_short_grid(), track = mec_1d_grid();
  EXPECT_EQ(whole.alphas.size(), 99u);
  EXPECT_EQ(whole.l1_ratios.size(), 100u);
  EXPECT_EQ(few.alphas.size(), 9u);
  EXPECT_EQ(few.l1_ratios.size(), 10u);
  EXPECT_EQ(track.alphas.size(), 5u);
  EXPECT_EQ(track.l1_ratios.size(), 5u);
  for (const ElasticNetGrid& grid : {whole, few, track}) {
    EXPECT_DOUBLE_EQ(grid.alphas.front(), 1e-9);
    EXPECT_DOUBLE_EQ(grid.alphas.back(), 1e9);
    EXPECT_DOUBLE_EQ(grid.alphas[grid.alphas.size() / 2], 1.0);
    EXPECT_EQ(grid.l1_ratios[0], 1e-16);
    EXPECT_EQ(grid.l1_ratios[1], 0.01);
    EXPECT_EQ(grid.l1_ratios.back(), 1.0);
    EXPECT_TRUE(grid.alpha_over_n);
    EXPECT_EQ(grid.folds, 2);
  }
  EXPECT_DOUBLE_EQ(whole.l1_ratios[2], 0.01 + 0.99 / 98);
  EXPECT_DOUBLE_EQ(track.l1_ratios[2], 0.34);
  EXPECT_EQ(few.pair(13, 80), (Penalty{few.alphas[1] / 80, few.l1_ratios[3]}));
}

TEST(ElasticNetSearch, TheBestPairIsTheFirstOfEqualsAndNaNIsWorst) {
  EXPECT_EQ(best_pair(std::vector<double>{kNaN, -0.5, 0.2, 0.2, kNaN}), 2);
  EXPECT_EQ(best_pair(std::vector<double>{kNaN, -0.5, kNaN}), 1);
  EXPECT_EQ(best_pair(std::vector<double>{kNaN, kNaN}), 0);
  // Three maps of two cells: of the first cell's maps one prefers pair 0 by much, one pair 1 by little.
  const Matrix<double> r(3, 3, {0.9, 0.1, 0.0, 0.3, 0.5, kNaN, 0.1, 0.2, 0.3});
  EXPECT_EQ(best_pairs_by_group(r, std::vector<std::int64_t>{0, 0, 1}), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(best_pairs_by_group(r, std::vector<std::int64_t>{1, 0, 1}), (std::vector<std::int64_t>{1, 0}));
  EXPECT_THROW(best_pairs_by_group(r, std::vector<std::int64_t>{0, 0}), InputError);
  EXPECT_THROW(best_pairs_by_group(r, std::vector<std::int64_t>{0, 0, -1}), InputError);
}

TEST(ElasticNetSearch, TargetsThatDoNotVaryAreUndefined) {
  const Matrix<double> x = random_matrix(10, 4, 1, 0.0);
  Matrix<double> y(10, 2, std::vector<double>(20, 1.5));
  y(9, 1) = 2.0;  // varies in the second fold alone
  const ElasticNetScores scores = elastic_net_scores<double>(CpuStream(1), x, y, mec_1d_grid());
  for (const double r : scores.r.values()) EXPECT_TRUE(std::isnan(r));
  // Nor do predictions of regressors that are all constant.
  const Matrix<double> flat(10, 4, std::vector<double>(40, 3.0));
  const ElasticNetScores none =
      elastic_net_scores<double>(CpuStream(1), flat, random_matrix(10, 1, 2, 0), mec_1d_grid());
  for (const double r : none.r.values()) EXPECT_TRUE(std::isnan(r));
  EXPECT_THROW(elastic_net_scores<double>(CpuStream(1), x, Matrix<double>(9, 1), mec_1d_grid()), InputError);
  EXPECT_THROW(elastic_net_scores<double>(CpuStream(1), x, y, {{1.0}, {}, true, 2}), InputError);
  EXPECT_THROW(elastic_net_scores<double>(CpuStream(1), x, y, {{0.0}, {0.5}, true, 2}), InputError);
}

TEST(ElasticNetMap, FitsOnePairAndSearchesSeveral) {
  const Matrix<double> x = random_matrix(30, 12, 3, 0.5), y = random_matrix(20, 3, 4, 1.0);
  const Split split = random_split(1, 30, 2.0 / 3.0);
  const CpuStream stream(2);
  const Matrix<double> train = take_rows<double>(x, split.train), test = take_rows<double>(x, split.test);
  const ElasticNet net(stream, train.view());
  const auto predictions = [&](MapOptions options, MapReport* report) {
    return make_map<double>(options)->prepare(stream, Source<double>(x), split)->predict(stream, y, report);
  };
  MapReport report;
  // Chapter 3's elastic net and lasso: the library as it comes.
  for (const auto& [name, ratio] : {std::pair{"elasticnet", 0.5}, {"lasso", 1.0}}) {
    const Penalty penalty{0.1, ratio};
    EXPECT_EQ(predictions({.method = name, .alphas = {0.1}}, &report),
              net.predict(stream, test.view(), net.descend(stream, y, {&penalty, 1})));
    EXPECT_TRUE(report.alpha.empty());
    EXPECT_EQ(predictions({.method = name, .converged = true, .alphas = {0.1}}, &report),
              net.predict(stream, test.view(), net.minimum(stream, y, {&penalty, 1})));
    const Penalty over_n{0.1 / 20, ratio};
    EXPECT_EQ(predictions({.method = name, .alphas = {0.1}, .alpha_over_n = true}, &report),
              net.predict(stream, test.view(), net.descend(stream, y, {&over_n, 1})));
  }
  const ElasticNetGrid grid = mec_short_grid();
  const MapOptions several{
      .method = "elasticnet", .alphas = grid.alphas, .l1_ratios = grid.l1_ratios, .alpha_over_n = true, .folds = 2};
  const Matrix<double> found = predictions(several, &report);
  const ElasticNetScores scores = elastic_net_scores<double>(stream, train, y, grid);
  std::vector<Penalty> chosen;
  for (std::int64_t k = 0; k < 3; ++k) {
    const std::int64_t best = best_pair(scores.r.row(k));
    chosen.push_back(grid.pair(best, 20));
    EXPECT_EQ(report.alpha[static_cast<std::size_t>(k)], grid.pair(best, 1).alpha);
    EXPECT_EQ(report.l1_ratio[static_cast<std::size_t>(k)], chosen.back().l1_ratio);
  }
  EXPECT_EQ(report.not_converged, 0);
  // Parameters chosen once can be used again (section 0.4).
  EXPECT_EQ(found, net.predict(stream, test.view(), net.minimum(stream, y, chosen)));
  EXPECT_THROW(make_map<double>({.method = "lasso", .alphas = {1.0, 2.0}}), InputError);
  EXPECT_THROW(make_map<double>({.method = "lasso", .alphas = {-1.0}}), InputError);
  EXPECT_THROW(make_map<double>({.method = "elasticnet", .alphas = {}}), InputError);
}

TEST(NnlsMap, PredictsWithPositiveWeightsAndAFreeIntercept) {
  // y = 2 a - 3 b - 5: the best map without a negative weight uses a alone.
  Matrix<float> x(8, 2), y(6, 1);
  for (int i = 0; i < 8; ++i) {
    x(i, 0) = static_cast<float>(i % 4);
    x(i, 1) = static_cast<float>(i / 4);
  }
  for (int i = 0; i < 6; ++i) y(i, 0) = 2 * x(i, 0) - 3 * x(i, 1) - 5;
  const CpuStream stream(1);
  const auto map = make_map<float>({.method = "nnls"})->prepare(stream, Source<float>(x), {{0, 1, 2, 3, 4, 5}, {6, 7}});
  MapReport report;
  const Matrix<float> predictions = map->predict(stream, y, &report);
  // Least squares of y on a: a has mean 7/6 and sum of squares 15 - 49/6, the product with y is sum(a y) - 7/6 sum(y).
  const double slope = (2 * 15.0 - 3 * 1.0 - 5 * 7.0 - 7.0 / 6 * (2 * 7.0 - 3 * 2 - 30)) / (15 - 49.0 / 6);
  const double intercept = (2 * 7.0 - 6 - 30) / 6 - slope * 7 / 6;
  EXPECT_NEAR(predictions(0, 0), intercept + 2 * slope, 1e-5);  // float
  EXPECT_NEAR(predictions(1, 0), intercept + 3 * slope, 1e-5);
  EXPECT_EQ(report.not_converged, 0);
}

}  // namespace
}  // namespace chiasm
