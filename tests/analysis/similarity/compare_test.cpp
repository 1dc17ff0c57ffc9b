// SPDX-License-Identifier: Apache-2.0
// Comparisons of dissimilarity matrices, and the noise ceiling over subjects.
#include "analysis/similarity/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/similarity/dissimilarity.h"
#include "analysis/similarity/noise_ceiling.h"
#include "analysis/statistics/correlation.h"
#include "analysis/statistics/rank.h"
#include "analysis/statistics/rank_correlation.h"
#include "kernels/error.h"
#include "tests/support/hashed.h"

namespace chiasm::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr RdmComparison kAll[] = {RdmComparison::kPearson, RdmComparison::kSpearman, RdmComparison::kKendallA,
                                  RdmComparison::kKendallB, RdmComparison::kCosine};

Rdm hashed_rdm(const std::string& name, std::int64_t items) {
  return rdm_of_triangle(hashed(name, items * (items - 1) / 2), name);
}

// spec/neural_analysis.md section 12.
TEST(CompareRdms, AgreesWithTheSpec) {
  const Matrix<double> a(4, 3, {1, 0, 2, 2, 1, 0, 0, 3, 1, 4, 1, 1});
  const Matrix<double> b(4, 4, {1, .5, 2, 0, 2, -1, 0, 1, .5, 3, 1, 1, 4, 0, 2, 3});
  const CpuStream stream(1);
  const RdmSimilarity similarity =
      compare(dissimilarity<double>(stream, a, Dissimilarity::kCorrelation),
              dissimilarity<double>(stream, b, Dissimilarity::kCorrelation), RdmComparison::kPearson);
  EXPECT_NEAR(similarity.value, .8574313212, 5e-11);  // ten decimals are given
  EXPECT_EQ(similarity.pairs, 6);
}

// Acceptance test 5 of section 13: rows that are centred, then rotated, have the same correlations.
TEST(CompareRdms, OfARotationIsOne) {
  constexpr std::int64_t kItems = 20, kUnits = 12;
  Matrix<double> x(kItems, kUnits, hashed("rotated", kItems * kUnits)), rotated(kItems, kUnits);
  for (std::int64_t i = 0; i < kItems; ++i) {
    double mean = 0;
    for (const double value : x.row(i)) mean += value / kUnits;
    for (double& value : x.row(i)) value -= mean;
  }
  // A reflection that leaves (1, ..., 1) where it is, so that rows stay centred: its vector sums to 0.
  std::vector<double> v = hashed("direction", kUnits);
  double mean = 0, square = 0;
  for (const double value : v) mean += value / kUnits;
  for (double& value : v) {
    value -= mean;
    square += value * value;
  }
  for (std::int64_t i = 0; i < kItems; ++i) {
    double along = 0;
    for (std::size_t k = 0; k < v.size(); ++k) along += x.row(i)[k] * v[k];
    for (std::size_t k = 0; k < v.size(); ++k) rotated.row(i)[k] = x.row(i)[k] - 2 * along / square * v[k];
  }
  const CpuStream stream(1);
  const Rdm a = dissimilarity<double>(stream, x, Dissimilarity::kCorrelation),
            b = dissimilarity<double>(stream, rotated, Dissimilarity::kCorrelation);
  EXPECT_NE(a.values, b.values);
  EXPECT_NEAR(compare(a, b, RdmComparison::kPearson).value, 1.0, 1e-14);
}

TEST(CompareRdms, LeavesOutAndCountsWhatIsMissing) {
  Rdm a = hashed_rdm("a", 10), b = hashed_rdm("b", 10);
  std::vector<double> x, y;
  for (std::size_t i = 3; i < a.values.size(); ++i) {
    x.push_back(a.values[i]);
    y.push_back(b.values[i]);
  }
  a.values[0] = a.values[1] = b.values[1] = b.values[2] = kNaN;
  for (const RdmComparison how : kAll) {
    const RdmSimilarity some = compare(a, b, how);
    EXPECT_EQ(some.value, compare(x, y, how).value) << to_string(how);
    EXPECT_EQ(some.pairs, 42);
    EXPECT_EQ(some.missing, 3);
  }
  EXPECT_EQ(compare(a, b, RdmComparison::kSpearman).value, spearman(x, y));
  EXPECT_EQ(compare(a, b, RdmComparison::kKendallA).value, kendall(x, y).a);
  EXPECT_EQ(compare(a, b, RdmComparison::kKendallB).value, kendall(x, y).b);
}

// Six multiples of one pattern beside six others: each of the others is equally far from all six, and rounding would
// rank these distances.
TEST(CompareRdms, RanksDistancesThatAreEqualAsTies) {
  const std::vector<double> pattern = hashed("pattern", 95), others = hashed("others", 6 * 95);
  const Rdm reference = hashed_rdm("reference", 12);
  const auto rdm_of = [&]<class T>(T, Dissimilarity measure) {
    Matrix<T> x(12, 95);
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t k = 0; k < 95; ++k) {
        x(i, k) = static_cast<T>(1.3 * static_cast<double>(i + 1) * pattern[static_cast<std::size_t>(k)] +
                                 static_cast<double>(i));
        x(i + 6, k) = static_cast<T>(others[static_cast<std::size_t>(i * 95 + k)]);
      }
    }
    return dissimilarity<T>(CpuStream(1), x, measure);
  };
  for (const Dissimilarity measure : {Dissimilarity::kCorrelation, Dissimilarity::kEuclidean}) {
    const Rdm wide = rdm_of(double{}, measure), narrow = rdm_of(float{}, measure);
    std::vector<double> grid = wide.values;  // far coarser than rounding, far finer than what tells them apart
    for (double& value : grid) value = std::round(value * 1e9) / 1e9;
    const double rho = spearman(grid, reference.values), tau = kendall(grid, reference.values).a;
    for (const Rdm& rdm : {wide, narrow}) {
      EXPECT_EQ(compare(rdm, reference, RdmComparison::kSpearman).value, rho) << to_string(measure);
      EXPECT_EQ(compare(reference, rdm, RdmComparison::kKendallA).value, tau) << to_string(measure);
      EXPECT_NE(spearman(rdm.values, reference.values), rho) << to_string(measure);  // rounding did leave something
    }
  }
}

TEST(CompareRdms, CosineDependsOnTheMean) {
  const std::vector<double> a{1, 2, 2}, b{2, 1, 2};
  EXPECT_DOUBLE_EQ(compare(a, b, RdmComparison::kCosine).value, 8.0 / 9.0);
  EXPECT_TRUE(std::isnan(compare(a, std::vector<double>(3), RdmComparison::kCosine).value));
}

TEST(CompareRdms, OfFewItemsIsNotANumber) {
  for (const RdmComparison how : kAll) {
    EXPECT_TRUE(std::isnan(compare(Rdm(1), Rdm(1), how).value));                          // no pair
    EXPECT_TRUE(std::isnan(compare(hashed_rdm("a", 2), hashed_rdm("b", 2), how).value));  // one pair
    EXPECT_EQ(parse_rdm_comparison(to_string(how)), how);
  }
  EXPECT_EQ(rdm_comparison_names().size(), 5u);
  EXPECT_THROW(compare(Rdm(3), Rdm(4), RdmComparison::kPearson), InputError);
  EXPECT_THROW(parse_rdm_comparison("kendall"), InputError);
}

TEST(NoiseCeiling, OfEqualSubjectsIsOne) {
  const std::vector<Rdm> subjects(3, hashed_rdm("subject", 8));
  for (const RdmComparison how : kAll) {
    const NoiseCeiling ceiling = noise_ceiling(subjects, how);
    EXPECT_NEAR(ceiling.lower, 1.0, 1e-15) << to_string(how);
    EXPECT_NEAR(ceiling.upper, 1.0, 1e-15) << to_string(how);
    EXPECT_EQ(ceiling.pairs, 28);
  }
}

// By its definition, for each scale.
TEST(NoiseCeiling, ComparesEachWithTheOthersAndWithAll) {
  std::vector<Rdm> subjects;
  for (const std::string name : {"a", "b", "c"}) subjects.push_back(hashed_rdm(name, 12));
  subjects[2].values[5] = kNaN;
  std::vector<std::vector<double>> kept(3);
  for (std::size_t s = 0; s < 3; ++s) {
    for (std::size_t i = 0; i < subjects[s].values.size(); ++i) {
      if (i != 5) kept[s].push_back(subjects[s].values[i]);
    }
  }
  const auto expect = [&](const NoiseCeiling& ceiling, const auto& scale, const auto& correlate) {
    double lower = 0.0, upper = 0.0;
    for (std::size_t s = 0; s < 3; ++s) {
      std::vector<double> others(kept[0].size()), all(kept[0].size());
      for (std::size_t o = 0; o < 3; ++o) {
        const std::vector<double> scaled = scale(kept[o]);
        for (std::size_t i = 0; i < all.size(); ++i) {
          others[i] += o == s ? 0.0 : scaled[i] / 2.0;
          all[i] += scaled[i] / 3.0;
        }
      }
      lower += correlate(kept[s], others) / 3.0;
      upper += correlate(kept[s], all) / 3.0;
    }
    // A mean here, a sum there.
    EXPECT_NEAR(ceiling.lower, lower, 1e-14);
    EXPECT_NEAR(ceiling.upper, upper, 1e-14);
    EXPECT_GT(ceiling.upper, ceiling.lower + 0.1);
    EXPECT_EQ(ceiling.missing, 1);
    EXPECT_EQ(ceiling.lower_of.size(), 3u);
  };
  const auto same = [](const std::vector<double>& x) { return x; };
  const auto z = [](std::vector<double> x) {
    double mean = 0, square = 0;
    for (const double value : x) mean += value / static_cast<double>(x.size());
    for (double& value : x) {
      value -= mean;
      square += value * value / static_cast<double>(x.size());
    }
    for (double& value : x) value /= std::sqrt(square);
    return x;
  };
  const auto by_rank = [](const std::vector<double>& x, const std::vector<double>& y) { return spearman(x, y); };
  const auto by_value = [](const std::vector<double>& x, const std::vector<double>& y) {
    return pearson<double>(x, y);
  };
  expect(noise_ceiling(subjects, RdmComparison::kPearson), z, by_value);
  expect(noise_ceiling(subjects, RdmComparison::kPearson, SubjectScale::kNone), same, by_value);
  expect(noise_ceiling(subjects, RdmComparison::kSpearman, SubjectScale::kNone), same, by_rank);
  // Means of ranks tie where sums of whole numbers do, and halves are exact; thirds are not: by hand for ranks.
  const NoiseCeiling ceiling = noise_ceiling(subjects, RdmComparison::kSpearman);
  double upper = 0.0;
  for (std::size_t s = 0; s < 3; ++s) {
    std::vector<double> sum(kept[0].size());
    for (const auto& values : kept) {
      const std::vector<double> rank = ranks(values);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += rank[i];
    }
    upper += spearman(kept[s], sum) / 3.0;
  }
  EXPECT_NEAR(ceiling.upper, upper, 1e-15);
}

TEST(NoiseCeiling, RefusesWhatHasNone) {
  EXPECT_THROW(noise_ceiling(std::vector{hashed_rdm("a", 5)}, RdmComparison::kPearson), InputError);
  EXPECT_THROW(noise_ceiling(std::vector{hashed_rdm("a", 5), hashed_rdm("b", 6)}, RdmComparison::kPearson), InputError);
  EXPECT_THROW(parse_subject_scale("rank"), InputError);
  EXPECT_EQ(parse_subject_scale("ranks"), SubjectScale::kRanks);
}

}  // namespace
}  // namespace chiasm::test
