// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rdm_regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/similarity/rdm_signature.h"
#include "analysis/statistics/correlation.h"
#include "kernels/error.h"
#include "tests/support/golden.h"
#include "tests/support/run.h"

namespace chiasm {
namespace {

using test::list;
using test::near;

std::vector<double> dissimilarities(const Matrix<double>& responses) {
  std::vector<double> cells;
  for (std::int64_t i = 0; i < responses.rows(); ++i) {
    for (std::int64_t k = i + 1; k < responses.rows(); ++k) {
      cells.push_back(1 - pearson<double>(responses.row(i), responses.row(k)));
    }
  }
  return cells;
}

Tensor row(const std::vector<double>& values) { return Tensor::of<double>({std::ssize(values)}, values); }

struct Example {
  Matrix<double> regressors{2, 15}, target{1, 15};
  std::vector<Split> folds{{{}, {0, 1}}, {{}, {2, 3}}, {{}, {4, 5}}};
};

// spec/neural_analysis.md section 12.
Example example() {
  const Matrix<double> f1(6, 4, {1, 0, 0, 2, 0, 1, 0, 1, 0, 0, 1, 3, 1, 1, 0, 0, 0, 1, 1, 2, 2, 0, 1, 1});
  const Matrix<double> f2(6, 4, {1, 2, 3, 4, 4, 3, 2, 1, 1, 3, 2, 4, 2, 2, 5, 1, 5, 1, 1, 2, 3, 1, 4, 1});
  const Matrix<double> neural(
      6, 5, {1, 1, 2, 3, 2, 3, 3, 2, 1, 1, 1, 2, 2, 4, 3, 2, 2, 4, 1, 0, 4, 2, 1, 2, 1, 3, 0, 4, 1, 2});
  Example e;
  std::ranges::copy(dissimilarities(f1), e.regressors.row(0).begin());
  std::ranges::copy(dissimilarities(f2), e.regressors.row(1).begin());
  std::ranges::copy(dissimilarities(neural), e.target.row(0).begin());
  return e;
}

TEST(RdmRegression, GivesTheVectorOfTheSpecification) {
  const Example e = example();
  const RdmRegression fit = regress_rdms(CpuStream(1), 6, e.regressors, e.target, e.folds).at(0);
  // Given to 10 decimals.
  EXPECT_TRUE(near(
      tensor_of<double>(fit.weights).view(),
      tensor_of<double>(Matrix<double>(3, 2, {0, 0.6327829562, 0.25637571, 0.8673303909, 0.1134180051, 1.0442028245}))
          .view(),
      {0, 2e-10}));
  EXPECT_TRUE(near(row(fit.intercepts).view(), row({0.4044329516, -0.0819390958, -0.2114553244}).view(), {0, 2e-10}));
  EXPECT_NEAR(fit.r, 0.8701154801, 1e-10);
  EXPECT_NEAR(fit.r2, 0.7571009487, 1e-10);
  EXPECT_EQ(fit.cells_left_out + fit.not_converged, 0);
}

TEST(RdmRegression, AgreesWithSciPyFoldByFold) {
  const test::Golden golden("rdm_regression");
  const Matrix<double> regressors = matrix_of<double>(golden.at("regressors"));
  Matrix<double> targets = matrix_of<double>(golden.at("targets"));
  ASSERT_TRUE(std::isnan(targets(2, 5)));
  const auto fits = regress_rdms(CpuStream(2), 14, regressors, targets, shuffled_folds(3, 14, 4));
  for (std::size_t t = 0; t < 3; ++t) {
    SCOPED_TRACE(t);
    const std::string at = "target" + std::to_string(t) + "/";
    // Weights come from normal equations of a condition below 1e4.
    EXPECT_TRUE(near(tensor_of<double>(fits[t].weights).view(), golden.at(at + "weights").view(), {1e-10}));
    EXPECT_TRUE(near(row(fits[t].intercepts).view(), golden.at(at + "intercepts").view(), {1e-10}));
    std::vector<double> predicted = fits[t].predicted;
    EXPECT_EQ(std::isnan(predicted[5]), t == 2);
    if (t == 2) predicted[5] = -1;
    EXPECT_TRUE(near(row(predicted).view(), golden.at(at + "predicted").view(), {1e-10}));
    EXPECT_NEAR(fits[t].r, golden.at(at + "r").values<double>()[0], 1e-10);
    EXPECT_EQ(fits[t].cells_left_out, t == 2 ? 1 : 0);
  }
}

TEST(RdmRegression, SignaturesAreThoseOfEverySplit) {
  const test::Golden golden("rdm_regression");
  const Matrix<double> regressors = matrix_of<double>(golden.at("regressors"));
  const Matrix<double> targets = matrix_of<double>(golden.at("targets"));
  SignatureOptions options;
  options.splits = 25;
  options.group = {0, 0, 1, 2, 2};
  options.contrasts = Matrix<double>(2, 3, {1, -1, 0, -0.5, -0.5, 1});
  const auto signatures = rdm_signatures(CpuStream(2), 14, regressors, targets, options);
  for (std::size_t t = 0; t < 3; ++t) {
    SCOPED_TRACE(t);
    const std::string at = "target" + std::to_string(t) + "/";
    const RdmSignature& s = signatures[t];
    EXPECT_TRUE(near(row(s.weight).view(), golden.at(at + "signature").view(), {1e-9}));
    EXPECT_TRUE(near(row(s.deviation).view(), golden.at(at + "deviation").view(), {1e-8}));
    EXPECT_TRUE(near(row(s.contrast).view(), golden.at(at + "contrast").view(), {1e-9}));
    EXPECT_EQ(s.positive, list<double>(golden.at(at + "positive")));
    EXPECT_NEAR(s.r2, golden.at(at + "r2").values<double>()[0], 1e-9);
    EXPECT_EQ(s.undefined_splits, 0);
  }
  // The same bits for any number of threads.
  const auto again = rdm_signatures(CpuStream(1), 14, regressors, targets, options);
  EXPECT_EQ(again[1].weight, signatures[1].weight);
  EXPECT_EQ(again[1].r2, signatures[1].r2);
}

TEST(RdmRegression, CountsWhatIsUndefined) {
  Example e = example();
  // A target without variance: only intercepts, and no r.
  std::ranges::fill(e.target.values(), 0.5);
  const RdmRegression flat = regress_rdms(CpuStream(1), 6, e.regressors, e.target, e.folds).at(0);
  EXPECT_EQ(flat.weights, Matrix<double>(3, 2));
  EXPECT_EQ(flat.predicted, std::vector<double>(15, 0.5));
  EXPECT_TRUE(std::isnan(flat.r));
  SignatureOptions options;
  options.splits = 4;
  options.folds = 3;
  const RdmSignature signature = rdm_signatures(CpuStream(1), 6, e.regressors, e.target, options).at(0);
  EXPECT_EQ(signature.undefined_splits, 4);
  EXPECT_TRUE(std::isnan(signature.r2));
  // A regressor that is not defined anywhere leaves no cell.
  std::ranges::fill(e.regressors.row(1), std::nan(""));
  EXPECT_THROW(regress_rdms(CpuStream(1), 6, e.regressors, e.target, e.folds), InputError);
}

TEST(RdmRegression, RefusesWhatIsNoPartition) {
  const Example e = example();
  const auto regress = [&](std::int64_t items, std::vector<Split> folds) {
    regress_rdms(CpuStream(1), items, e.regressors, e.target, folds);
  };
  EXPECT_THROW(regress(5, e.folds), InputError);
  EXPECT_THROW(regress(6, {{{}, {0, 1}}, {{}, {2, 3}}}), InputError);           // 4 and 5 in none
  EXPECT_THROW(regress(6, {{{}, {0, 1, 2}}, {{}, {2, 3, 4, 5}}}), InputError);  // 2 in both
  EXPECT_THROW(regress(6, {{{}, {0, 1, 2, 3, 4}}, {{}, {5}}}), InputError);     // nothing to train on
  EXPECT_THROW(regress(6, {{{}, {0, 1, 2}}, {{}, {3, 4, 6}}}), InputError);     // no image 6
  SignatureOptions options;
  options.group = {0, 2};
  EXPECT_THROW(rdm_signatures(CpuStream(1), 6, e.regressors, e.target, options), InputError);
  options.group = {0};
  EXPECT_THROW(rdm_signatures(CpuStream(1), 6, e.regressors, e.target, options), InputError);
}

}  // namespace
}  // namespace chiasm
