// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/elastic_net.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.h"
#include "tests/support/golden.h"

namespace chiasm {
namespace {

using test::near;

// The gap from X'X is a difference of terms of size |y|^2, so that a smaller tolerance is lost in their rounding.
constexpr DescentLimits kExact{1e-13, 30'000};

Tensor tensor(const Matrix<double>& m) { return tensor_of<double>(m); }

// The data of spec/neural_analysis.md section 12.
const Matrix<double> kX(6, 3, {1, 0, 2, 2, 1, 0, 0, 3, 1, 4, 1, 1, 3, 2, 5, 1, 4, 2});
const Matrix<double> kY(6, 2, {1, .5, 2, -1, .5, 3, 4, 0, 6, 2.5, 1.5, 4});

void expect_spec(Penalty penalty, const std::vector<double>& weights, const std::vector<double>& intercepts) {
  const CpuStream stream(1);
  const ElasticNetFit fit = ElasticNet(stream, kX.view()).descend(stream, kY, {&penalty, 1}, kExact);
  // Given to 10 decimals.
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(fit.weights.values()[i], weights[i], 1e-9);
  for (std::size_t t = 0; t < 2; ++t) EXPECT_NEAR(fit.intercepts[t], intercepts[t], 1e-9);
  // Without a l1 term the dual point is never feasible but for rounding, and the gap says nothing.
  if (penalty.l1_ratio > 1e-10) {
    EXPECT_EQ(fit.not_converged, 0);
  }
}

TEST(ElasticNet, GivesTheVectorsOfTheSpecification) {
  expect_spec({0.1, 1.0}, {1.0175189874, .0553417722, .5673417721, -.3149113924, .9015949367, .4475949367},
              {-.5070379747, -.3961772151});
  expect_spec({0.1, 0.5}, {1.026797116, .0837085603, .5707450976, -.3415340398, .8914566997, .4647583147},
              {-.5822930855, -.3602484536});
  // Ridge with alpha 1.
  expect_spec({1.0 / 6.0, 1e-16}, {.9951818611, .0932451582, .5690127539, -.3603684459, .8565422768, .4705715635},
              {-.5386395843, -.2723665564});
}

TEST(ElasticNet, AgreesWithScikitLearn) {
  const test::Golden golden("elastic_net");
  const CpuStream stream(2);
  for (const std::string name : {"tall", "wide", "square", "dependent", "constant", "one", "ridge"}) {
    const Matrix<double> x = matrix_of<double>(golden.at(name + "/x")), y = matrix_of<double>(golden.at(name + "/y"));
    const Matrix<double> penalties = matrix_of<double>(golden.at(name + "/penalties"));
    const Matrix<double> fresh = matrix_of<double>(golden.at(name + "/new"));
    const ElasticNet net(stream, x.view());
    for (std::int64_t i = 0; i < penalties.rows(); ++i) {
      const Penalty penalty{penalties(i, 0), penalties(i, 1)};
      for (const bool exact : {false, true}) {
        if (exact && (name == "dependent" || name == "ridge")) continue;  // would take a million sweeps
        const std::string key = name + (exact ? "/exact" : "/default") + std::to_string(i);
        SCOPED_TRACE(key);
        const ElasticNetFit fit = net.descend(stream, y, {&penalty, 1}, exact ? kExact : DescentLimits{});
        // The same sequence of steps: only rounding differs, of up to thousands of sweeps on X'X.
        const Matrix<double> expected = transposed<double>(matrix_of<double>(golden.at(key)));
        EXPECT_TRUE(near(tensor(net.predict(stream, fresh.view(), fit)).view(), tensor(expected).view(), {1e-8, 1e-9}));
        // Of dependent regressors the lasso has many minima.
        if (name == "dependent" && penalty.l1_ratio == 1.0) continue;
        EXPECT_TRUE(near(tensor(fit.weights).view(), golden.at(key + "_weights").view(), {1e-8, 1e-9}));
      }
    }
  }
}

TEST(ElasticNet, FindsTheMinimum) {
  const test::Golden golden("elastic_net");
  const CpuStream stream(2);
  for (const std::string name : {"tall", "wide", "square", "dependent", "constant", "one", "ridge"}) {
    const Matrix<double> x = matrix_of<double>(golden.at(name + "/x")), y = matrix_of<double>(golden.at(name + "/y"));
    const Matrix<double> penalties = matrix_of<double>(golden.at(name + "/penalties"));
    const Matrix<double> fresh = matrix_of<double>(golden.at(name + "/new"));
    const ElasticNet net(stream, x.view());
    for (std::int64_t i = 0; i < penalties.rows(); ++i) {
      const Penalty penalty{penalties(i, 0), penalties(i, 1)};
      const std::string key = name + "/exact" + std::to_string(i);
      SCOPED_TRACE(key);
      const ElasticNetFit fit = net.minimum(stream, y, {&penalty, 1});
      EXPECT_EQ(fit.not_converged, 0);
      // Of dependent regressors the lasso has many minima.
      if (name == "dependent" && penalty.l1_ratio == 1.0) continue;
      // What scikit-learn's tolerance of 1e-14 leaves.
      const Matrix<double> expected = transposed<double>(matrix_of<double>(golden.at(key)));
      EXPECT_TRUE(near(tensor(net.predict(stream, fresh.view(), fit)).view(), tensor(expected).view(), {1e-8, 1e-9}));
      EXPECT_TRUE(near(tensor(fit.weights).view(), golden.at(key + "_weights").view(), {1e-8, 1e-9}));
    }
  }
}

// Rows and products give the same descent, and count the same sweeps as scikit-learn.
TEST(CoordinateDescent, HasTwoForms) {
  const test::Golden golden("elastic_net");
  for (const std::string name : {"tall", "wide"}) {
    const Matrix<double> x = matrix_of<double>(golden.at(name + "/x")), y = matrix_of<double>(golden.at(name + "/y"));
    const std::int64_t n = x.rows(), p = x.columns();
    Matrix<double> xt = transposed<double>(x), gram(p, p);
    std::vector<double> target(static_cast<std::size_t>(n)), moments(static_cast<std::size_t>(p));
    double mean = 0, squares = 0;
    for (std::int64_t i = 0; i < n; ++i) mean += y(i, 0) / static_cast<double>(n);
    for (std::int64_t i = 0; i < n; ++i) target[static_cast<std::size_t>(i)] = y(i, 0) - mean;
    for (const double v : target) squares += v * v;
    for (std::int64_t j = 0; j < p; ++j) {
      double m = 0;
      for (const double v : xt.row(j)) m += v / static_cast<double>(n);
      for (double& v : xt.row(j)) v -= m;
    }
    for (std::int64_t j = 0; j < p; ++j) {
      for (std::int64_t i = 0; i < n; ++i) {
        moments[static_cast<std::size_t>(j)] += xt(j, i) * target[static_cast<std::size_t>(i)];
        for (std::int64_t k = 0; k < p; ++k) gram(j, k) += xt(j, i) * xt(k, i);
      }
    }
    const Matrix<double> penalties = matrix_of<double>(golden.at(name + "/penalties"));
    int converged = 0;
    for (std::int64_t i = 0; i < penalties.rows(); ++i) {
      const double scale = penalties(i, 0) * static_cast<double>(n), l1 = scale * penalties(i, 1);
      std::vector<double> by_rows(static_cast<std::size_t>(p)), by_gram(static_cast<std::size_t>(p));
      const DescentEnd rows = descend_on_rows(xt, target.data(), l1, scale - l1, {}, by_rows.data());
      const DescentEnd products = descend_on_gram(gram, moments.data(), squares, l1, scale - l1, {}, by_gram.data());
      EXPECT_EQ(rows.sweeps, products.sweeps);
      EXPECT_EQ(rows.sweeps, golden.at(name + "/default" + std::to_string(i) + "_sweeps").values<std::int32_t>()[0]);
      EXPECT_GT(rows.sweeps, 1);
      for (std::size_t j = 0; j < by_rows.size(); ++j) EXPECT_NEAR(by_rows[j], by_gram[j], 1e-9);
      EXPECT_NEAR(rows.gap, products.gap, 1e-9 * squares);
      // From its own end a descent stops at once.
      if (rows.converged) {
        EXPECT_EQ(descend_on_rows(xt, target.data(), l1, scale - l1, {}, by_rows.data()).sweeps, 1);
      }
      converged += rows.converged;
    }
    EXPECT_GE(converged, 2);
    // One sweep is too few, and says so.
    std::vector<double> weights(static_cast<std::size_t>(p));
    EXPECT_FALSE(descend_on_rows(xt, target.data(), 0.01, 0.01, {1e-10, 1}, weights.data()).converged);
  }
}

TEST(ElasticNet, CountsWhatDidNotConverge) {
  const CpuStream stream(1);
  const Penalty penalty{1e-6, 0.5};
  EXPECT_EQ(ElasticNet(stream, kX.view()).descend(stream, kY, {&penalty, 1}, {1e-12, 3}).not_converged, 2);
  // A target without variance has nothing to fit.
  const ElasticNetFit flat =
      ElasticNet(stream, kX.view()).descend(stream, Matrix<double>(6, 1, std::vector<double>(6, 3.0)), {&penalty, 1});
  EXPECT_EQ(flat.not_converged, 0);
  EXPECT_EQ(flat.weights, Matrix<double>(1, 3));
  EXPECT_EQ(flat.intercepts, std::vector<double>{3.0});
}

TEST(ElasticNet, RefusesPenaltiesThatAreNone) {
  const CpuStream stream(1);
  const ElasticNet net(stream, kX.view());
  for (const Penalty penalty :
       {Penalty{0.0, 0.5}, {-1.0, 0.5}, {NAN, 0.5}, {INFINITY, 0.5}, {1.0, -0.1}, {1.0, 1.1}, {1.0, NAN}}) {
    EXPECT_THROW(net.descend(stream, kY, {&penalty, 1}), InputError);
  }
  const Penalty penalty;
  EXPECT_THROW(net.descend(stream, Matrix<double>(5, 1), {&penalty, 1}), InputError);
  EXPECT_THROW(ElasticNet(stream, Matrix<double>(0, 3).view()), InputError);
}

}  // namespace
}  // namespace chiasm
