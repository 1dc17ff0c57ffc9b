// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/linear_svm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "analysis/behaviour/squared_hinge.h"
#include "kernels/error.h"
#include "tests/support/golden.h"

namespace chiasm {
namespace {

using test::Golden;
using testing::HasSubstr;
using testing::ThrowsMessage;

const CpuStream kStream(2);

// spec/neural_analysis.md section 12.
Matrix<double> spec_rows() { return {9, 2, {0, 0, 1, 0, 0, 1, 2, 2, 3, 2, 2, 3, -1, 3, -2, 3, -1, 4}}; }
const std::vector<std::int32_t> kSpecLabels{0, 0, 0, 1, 1, 1, 2, 2, 2};

void expect_close(std::span<const double> found, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "at " << i;
}

TEST(LinearSvm, AgreesWithTheSpecification) {
  constexpr double kPrinted = 6e-9;  // eight digits are printed
  for (const SvmSolver solver : {SvmSolver::kNewton, SvmSolver::kLiblinear}) {
    LinearSvm svm = fit_linear_svm(kStream, spec_rows(), kSpecLabels, 3, {.c = 1.0, .solver = solver});
    expect_close(svm.weights.values(), std::vector{-.16509714, -.71214049, .65891665, .21568142, -.57783472, .3420884},
                 kPrinted);
    expect_close(svm.intercepts, std::vector{.97717825, -1.05317833, -.84817425}, kPrinted);
    EXPECT_EQ(svm.not_converged, 0);
    svm = fit_linear_svm(kStream, spec_rows(), kSpecLabels, 3, {.c = 0.1, .solver = solver});
    expect_close(svm.weights.values(), std::vector{-.06225725, -.37594243, .39993193, .01554345, -.41398618, .14141053},
                 kPrinted);
    expect_close(svm.intercepts, std::vector{.27496002, -.35636487, -.29604479}, kPrinted);
  }
}

TEST(LinearSvm, AgreesWithScikitLearn) {
  const Golden golden("behaviour");
  for (const std::string name :
       {"tall", "tall_small_c", "tall_large_c", "wide", "wide_hard_margin", "low_rank", "constant"}) {
    SCOPED_TRACE(name);
    const Matrix<double> x = matrix_of<double>(golden.at(name + "/x"));
    const auto labels = golden.at(name + "/labels").values<std::int32_t>();
    const double c = golden.at(name + "/c").values<double>()[0];
    const auto weights = golden.at(name + "/weights").values<double>();
    const LinearSvm svm =
        fit_linear_svm(kStream, x, labels, static_cast<int>(std::ssize(weights) / x.columns()), {.c = c});
    // What scikit-learn's stopping rule leaves.
    expect_close(svm.weights.values(), weights, 1e-6);
    expect_close(svm.intercepts, golden.at(name + "/intercepts").values<double>(), 1e-6);
  }
}

// The gradient of the objective at the solution is zero: what scikit-learn's tolerance cannot show.
double largest_gradient(MatrixView<double> x, std::span<const std::int32_t> labels, const LinearSvm& svm, double c,
                        double* scale) {
  const Matrix<double> f = decision_values(kStream, svm, x);
  double largest = 0.0;
  *scale = 0.0;
  for (std::int64_t k = 0; k < svm.weights.rows(); ++k) {
    std::vector<double> gradient(svm.weights.row(k).begin(), svm.weights.row(k).end());
    gradient.push_back(svm.intercepts[static_cast<std::size_t>(k)]);
    for (const double w : gradient) *scale = std::max(*scale, std::fabs(w));
    for (std::int64_t i = 0; i < x.rows; ++i) {
      const double y = labels[static_cast<std::size_t>(i)] == k ? 1.0 : -1.0;
      const double gap = std::max(0.0, 1.0 - y * f(i, k));
      for (std::size_t j = 0; j < gradient.size(); ++j) {
        gradient[j] -= 2.0 * c * y * gap * (j + 1 < gradient.size() ? x(i, static_cast<std::int64_t>(j)) : 1.0);
      }
    }
    for (const double g : gradient) largest = std::max(largest, std::fabs(g));
  }
  return largest;
}

struct Problem {
  Matrix<double> x;
  std::vector<std::int32_t> labels;
};
Problem random_problem(std::int64_t images, std::int64_t features, int classes, double signal, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Problem problem{Matrix<double>(images, features), {}};
  for (double& value : problem.x.values()) value = normal(random);
  for (std::int64_t i = 0; i < images; ++i) {
    problem.labels.push_back(static_cast<std::int32_t>(i % classes));
    problem.x(i, i % classes % features) += signal;
  }
  return problem;
}

TEST(LinearSvm, SolvesToRoundingFromSoftToHardMargins) {
  for (const auto& [images, features] : {std::pair{150, 8}, {60, 90}, {40, 40}, {90, 300}}) {
    for (const double signal : {0.0, 1.0, 6.0}) {
      const Problem problem = random_problem(images, features, 4, signal, 3);
      for (const double c : {1e-8, 1e-3, 1.0, 5e4, 5e8}) {
        const LinearSvm svm = fit_linear_svm(kStream, problem.x, problem.labels, 4, {.c = c});
        EXPECT_EQ(svm.not_converged, 0);
        double scale = 0.0;
        const double gradient = largest_gradient(problem.x, problem.labels, svm, c, &scale);
        // Margins are good to 1e-12 where X is square and badly conditioned; here they are multiplied by 2 C and summed
        // with up to 150 values x.
        EXPECT_LT(gradient, 1e-10 * scale + 1e-10 * c) << images << " x " << features << ", C = " << c;
      }
    }
  }
}

// Images in few directions, many more than those: nothing is separated, and at large C the matrices of a step are
// singular to rounding, in both forms.
TEST(LinearSvm, LowRankAtLargeC) {
  for (const std::int64_t features : {120, 30}) {
    Problem problem = random_problem(100, features, 3, 0.0, 11);
    for (std::int64_t i = 0; i < 100; ++i) {
      for (std::int64_t k = 6; k < features; ++k) problem.x(i, k) = problem.x(i, k % 6) * (k % 2 == 0 ? 2.0 : -1.0);
    }
    for (const double c : {1.0, 5e4, 5e8}) {
      const LinearSvm svm = fit_linear_svm(kStream, problem.x, problem.labels, 3, {.c = c});
      EXPECT_EQ(svm.not_converged, 0);
      double scale = 0.0;
      const double gradient = largest_gradient(problem.x, problem.labels, svm, c, &scale);
      // Half of the images are beyond the hinge by about 1: the sums cancel to 1e-16 of 2 C 100, and what the products
      // lose to their conditioning is at most another factor of 1e5.
      EXPECT_LT(gradient, 2e-9 * c + 1e-9) << features << " features, C = " << c;
    }
  }
}

// Classes far apart in all of 30 features, with hardly any cost of the weights: exchanges of sides go round in circles.
TEST(LinearSvm, SolvesWhatIsSeparableByFar) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  constexpr std::int64_t kImages = 120, kFeatures = 30;
  for (const double signal : {0.5, 1.0, 2.0}) {
    Matrix<double> centres(4, kFeatures);
    for (double& value : centres.values()) value = signal * normal(random);
    Problem problem{Matrix<double>(kImages, kFeatures), {}};
    for (std::int64_t i = 0; i < kImages; ++i) {
      problem.labels.push_back(static_cast<std::int32_t>(i % 4));
      for (std::int64_t k = 0; k < kFeatures; ++k) problem.x(i, k) = centres(i % 4, k) + normal(random);
    }
    for (const double c : {1.0, 5e4, 5e8}) {
      const LinearSvm svm = fit_linear_svm(kStream, problem.x, problem.labels, 4, {.c = c});
      EXPECT_EQ(svm.not_converged, 0) << signal << ", C = " << c;
      double scale = 0.0;
      const double gradient = largest_gradient(problem.x, problem.labels, svm, c, &scale);
      EXPECT_LT(gradient, 1e-10 * scale + 1e-10 * c) << signal << ", C = " << c;  // as above
    }
  }
}

TEST(LinearSvm, LiblinearAgreesOnBothShapes) {
  for (const auto& [images, features] : {std::pair{150, 8}, {40, 70}}) {
    const Problem problem = random_problem(images, features, 3, 1.0, 5);
    const LinearSvm ours = fit_linear_svm(kStream, problem.x, problem.labels, 3, {.c = 2.0});
    const LinearSvm theirs =
        fit_linear_svm(kStream, problem.x, problem.labels, 3, {.c = 2.0, .solver = SvmSolver::kLiblinear});
    expect_close(theirs.weights.values(), ours.weights.values(), 1e-6);  // where its trust region stops
    expect_close(theirs.intercepts, ours.intercepts, 1e-6);
  }
}

TEST(LinearSvm, TheBitsDoNotDependOnTheThreads) {
  for (const std::int64_t features : {20, 200}) {
    const Problem problem = random_problem(100, features, 5, 1.0, 7);
    const LinearSvm one = fit_linear_svm(CpuStream(1), problem.x, problem.labels, 5);
    const LinearSvm two = fit_linear_svm(CpuStream(2), problem.x, problem.labels, 5);
    EXPECT_EQ(one.weights, two.weights);
    EXPECT_EQ(one.intercepts, two.intercepts);
  }
}

// Near decisions change where the search starts, not where it ends.
TEST(LinearSvm, StartsFromASolutionNearby) {
  const Problem problem = random_problem(60, 6, 2, 1.0, 9);
  std::vector<bool> positive;
  for (const std::int32_t label : problem.labels) positive.push_back(label == 1);
  const HingeRows rows(problem.x);
  const HingeSolution soft = HingeProblem::of_rows(rows, 0.01)->solve(positive);
  const auto hard = HingeProblem::of_rows(rows, 10.0);
  const HingeSolution cold = hard->solve(positive), warm = hard->solve(positive, cold.decision);
  EXPECT_GT(cold.steps, 1);
  EXPECT_EQ(warm.steps, 1);
  expect_close(hard->solve(positive, soft.decision).coefficients, cold.coefficients, 1e-12);
}

TEST(LinearSvm, ConstantFeaturesAndOneImagePerClassAreFitted) {
  const Matrix<double> constant(4, 3, std::vector<double>(12, 2.0));
  const LinearSvm svm = fit_linear_svm(kStream, constant, std::vector<std::int32_t>{0, 1, 1, 1}, 2);
  EXPECT_EQ(svm.not_converged, 0);
  EXPECT_EQ(largest_column(decision_values(kStream, svm, constant)), (std::vector<std::int32_t>{1, 1, 1, 1}));
}

TEST(LinearSvm, SaysWhatItCannotDo) {
  const Matrix<double> x = spec_rows();
  EXPECT_THAT([&] { fit_linear_svm(kStream, x, kSpecLabels, 4); },
              ThrowsMessage<InputError>(HasSubstr("class 3 has no image")));
  EXPECT_THAT([&] { fit_linear_svm(kStream, x, kSpecLabels, 2); },
              ThrowsMessage<InputError>(HasSubstr("label 2, allowed are 0 to 1")));
  EXPECT_THROW(fit_linear_svm(kStream, x, std::vector<std::int32_t>(9), 1), InputError);
  EXPECT_THROW(fit_linear_svm(kStream, x, kSpecLabels, 3, {.c = 0.0}), InputError);
  EXPECT_THROW(fit_linear_svm(kStream, x, kSpecLabels, 3, {.c = -1.0, .solver = SvmSolver::kLiblinear}), InputError);
  Matrix<double> broken = x;
  broken(4, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT([&] { fit_linear_svm(kStream, broken, kSpecLabels, 3); },
              ThrowsMessage<NumericalError>(HasSubstr("image 4, feature 1")));
}

TEST(LinearSvm, PredictsTheLargestDecisionTheFirstOfEquals) {
  EXPECT_EQ(largest_column(Matrix<double>(3, 3, {1, 2, 0, 5, 5, 5, -3, -2, -1})), (std::vector<std::int32_t>{1, 0, 2}));
}

}  // namespace
}  // namespace chiasm
