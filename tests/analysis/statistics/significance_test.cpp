// SPDX-License-Identifier: Apache-2.0
// Wilcoxon's, Student's, Friedman's and Kolmogorov and Smirnov's tests, against SciPy.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/statistics/friedman.h"
#include "analysis/statistics/kolmogorov_smirnov.h"
#include "analysis/statistics/paired_t.h"
#include "analysis/statistics/signed_rank.h"
#include "kernels/error.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"

namespace chiasm::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// SciPy's p values hold about 12 digits in the tails, by their own series.
constexpr double kSciPy = 1e-12;

const Golden& golden() {
  static const Golden golden("significance");
  return golden;
}

TEST(SignedRank, AgreesWithSciPy) {
  for (const std::string name : {"small", "limit", "many", "tied", "three"}) {
    const std::string base = "paired/" + name;
    const auto a = golden().at(base + "/a").values<double>(), b = golden().at(base + "/b").values<double>();
    for (const bool exact : {true, false}) {
      const std::string mode = base + (exact ? "/exact" : "/approx");
      if (!golden().has(mode)) continue;
      const auto expected = golden().at(mode).values<double>();
      int i = 0;
      for (const Alternative side : {Alternative::kTwoSided, Alternative::kGreater, Alternative::kLess}) {
        const SignedRank test = signed_rank(a, b, side, exact ? SignedRankMethod::kExact : SignedRankMethod::kNormal);
        EXPECT_EQ(test.exact, exact);
        EXPECT_EQ(test.statistic, expected[i]) << mode;
        EXPECT_NEAR(test.p, expected[i + 1], kSciPy * expected[i + 1]) << mode;
        i += 2;
      }
    }
  }
}

TEST(SignedRank, IsExactForFewPairsWithoutTies) {
  const auto of = [](const std::string& name) {
    return signed_rank(golden().at("paired/" + name + "/a").values<double>(),
                       golden().at("paired/" + name + "/b").values<double>());
  };
  EXPECT_TRUE(of("limit").exact);
  EXPECT_EQ(of("limit").pairs, 50);
  EXPECT_FALSE(of("many").exact);  // 51
  EXPECT_FALSE(of("tied").exact);
  EXPECT_GT(of("tied").zeros, 0);
  EXPECT_EQ(of("tied").pairs + of("tied").zeros, 40);
}

// All 2^7 signs by hand, with ties: differences of sizes 1, 1, 2, 3, 3, 3, 4.
TEST(SignedRank, CountsEverySignOfTies) {
  const std::vector<double> a{1, -1, 2, 3, -3, 3, 4}, zero(7, 0.0), rank{1.5, 1.5, 3, 5, 5, 5, 7};
  const double above = 1.5 + 3 + 5 + 5 + 7;
  int as_high = 0;
  for (int signs = 0; signs < 128; ++signs) {
    double sum = 0.0;
    for (int i = 0; i < 7; ++i) sum += (signs >> i & 1) != 0 ? rank[static_cast<std::size_t>(i)] : 0.0;
    as_high += sum >= above ? 1 : 0;
  }
  const SignedRank test = signed_rank(a, zero, Alternative::kGreater, SignedRankMethod::kExact);
  EXPECT_EQ(test.statistic, above);
  EXPECT_DOUBLE_EQ(test.p, as_high / 128.0);
}

TEST(SignedRank, CountsWhatItLeavesOut) {
  const std::vector<double> a{1, 2, kNaN, 4, 5}, b{1, 1, 1, kNaN, 7};
  const SignedRank test = signed_rank(a, b);
  EXPECT_EQ(test.pairs, 2);
  EXPECT_EQ(test.zeros, 1);
  EXPECT_EQ(test.dropped, 2);
  EXPECT_TRUE(std::isnan(signed_rank(b, b).p));
  EXPECT_TRUE(std::isnan(signed_rank({}, {}).p));
}

TEST(PairedT, AgreesWithSciPy) {
  for (const std::string name : {"small", "limit", "many", "tied", "three"}) {
    const std::string base = "paired/" + name;
    const PairedT test = paired_t(golden().at(base + "/a").values<double>(), golden().at(base + "/b").values<double>());
    const auto expected = golden().at(base + "/t").values<double>();
    EXPECT_NEAR(test.t, expected[0], 1e-14 * std::max(1.0, std::abs(expected[0])) * 10) << name;  // means cancel
    EXPECT_NEAR(test.p, expected[1], kSciPy * expected[1]) << name;
  }
}

TEST(PairedT, OfEqualDifferences) {
  const std::vector<double> a{1, 2, kNaN, 4}, shifted{0, 1, 2, 3};
  const PairedT shift = paired_t(a, shifted);
  EXPECT_EQ(shift.pairs, 3);
  EXPECT_EQ(shift.dropped, 1);
  EXPECT_EQ(shift.p, 0.0);
  EXPECT_TRUE(std::isinf(shift.t));
  EXPECT_TRUE(std::isnan(paired_t(a, a).p));
  EXPECT_TRUE(std::isnan(paired_t(std::vector{1.0}, std::vector{2.0}).p));
}

TEST(PairedT, BonferroniMultiplies) {
  EXPECT_EQ(bonferroni(0.01, 3), 0.03);
  EXPECT_EQ(bonferroni(0.4, 3), 1.0);
  EXPECT_TRUE(std::isnan(bonferroni(kNaN, 3)));
}

TEST(Friedman, AgreesWithSciPy) {
  for (const std::string name : {"smooth", "tied"}) {
    const Matrix<double> scores = matrix_of<double>(golden().at("friedman/" + name + "/scores"));
    const auto expected = golden().at("friedman/" + name + "/values").values<double>();
    const Friedman test = friedman(scores);
    EXPECT_NEAR(test.chi_square, expected[0], 1e-12 * expected[0]) << name;
    EXPECT_NEAR(test.p, expected[1], kSciPy * expected[1]) << name;
    EXPECT_EQ(test.blocks, scores.rows());
    EXPECT_EQ(test.degrees, scores.columns() - 1.0);
    // A row with a NaN is as if it were not there.
    Matrix<double> more(scores.rows() + 1, scores.columns());
    std::ranges::copy(scores.values(), more.data());
    more.row(scores.rows()).front() = kNaN;
    EXPECT_EQ(friedman(more).chi_square, test.chi_square);
    EXPECT_EQ(friedman(more).dropped, 1);
  }
}

TEST(Friedman, OfNothingIsNotANumber) {
  EXPECT_TRUE(std::isnan(friedman(Matrix<double>(5, 3)).p));  // all tied
  EXPECT_TRUE(std::isnan(friedman(Matrix<double>(0, 3)).p));
  EXPECT_THROW(friedman(Matrix<double>(5, 2)), InputError);
}

TEST(KolmogorovSmirnov, AgreesWithSciPy) {
  for (const std::string name : {"spec", "spec_tied", "equal", "coprime", "tied", "far", "same"}) {
    const std::string base = "ks/" + name;
    const KolmogorovSmirnov test =
        kolmogorov_smirnov(golden().at(base + "/a").values<double>(), golden().at(base + "/b").values<double>());
    const auto expected = golden().at(base + "/values").values<double>();
    EXPECT_NEAR(test.distance, expected[0], 1e-15) << name;
    EXPECT_NEAR(test.p, expected[1], kSciPy * expected[1]) << name;
    EXPECT_TRUE(test.exact);
  }
}

// spec/neural_analysis.md section 12.
TEST(KolmogorovSmirnov, AgreesWithTheSpec) {
  EXPECT_DOUBLE_EQ(kolmogorov_smirnov(std::vector{.1, .2, .35, .4, .9}, std::vector{.15, .5, .55, .6}).distance, 0.55);
  EXPECT_NEAR(kolmogorov_smirnov(std::vector{1., 2., 2., 3.}, std::vector{2., 3., 4.}).distance, 0.4166666667, 5e-11);
}

// The limit takes over where it is near the exact value: with n values on each side its error is of the order of
// 1 / sqrt(n).
TEST(KolmogorovSmirnov, GoesOverToTheLimit) {
  std::vector<double> a = hashed("a", 10'000), b = hashed("b", 9'000);
  for (double& value : b) value += 0.03;
  const KolmogorovSmirnov exact = kolmogorov_smirnov(a, b);
  a.push_back(2.0);
  const KolmogorovSmirnov limit = kolmogorov_smirnov(a, b);
  EXPECT_TRUE(exact.exact);
  EXPECT_FALSE(limit.exact);
  EXPECT_GT(exact.p, 1e-6);
  EXPECT_LT(exact.p, 0.5);
  EXPECT_NEAR(limit.p, exact.p, 0.05 * exact.p);
}

TEST(KolmogorovSmirnov, CountsWhatItLeavesOut) {
  const KolmogorovSmirnov test = kolmogorov_smirnov(std::vector{1., kNaN, 2.}, std::vector{kNaN, kNaN, 1., 2.});
  EXPECT_EQ(test.dropped, 3);
  EXPECT_EQ(test.distance, 0.0);
  EXPECT_EQ(test.p, 1.0);
  EXPECT_TRUE(std::isnan(kolmogorov_smirnov({}, std::vector{1.}).p));
}

}  // namespace
}  // namespace chiasm::test
