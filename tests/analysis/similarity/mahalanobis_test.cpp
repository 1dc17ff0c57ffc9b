// SPDX-License-Identifier: Apache-2.0
// Distances in units of the noise, cross-validated distances and the covariance behind them.
#include "analysis/similarity/mahalanobis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/similarity/dissimilarity.h"
#include "analysis/similarity/repeats.h"
#include "kernels/error.h"
#include "kernels/random/random_stream.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"

namespace chiasm::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Matrix<double> hashed_matrix(const std::string& name, std::int64_t rows, std::int64_t columns) {
  return {rows, columns, hashed(name, rows * columns)};
}

void expect_near(const Rdm& rdm, std::span<const double> expected, double relative) {
  ASSERT_EQ(rdm.values.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(rdm.values[i])) << i;
    } else {
      EXPECT_NEAR(rdm.values[i], expected[i], relative * std::max(1.0, std::abs(expected[i]))) << i;
    }
  }
}

Matrix<double> golden_noise(const std::string& name, std::int64_t trials, std::int64_t units) {
  const Matrix<double> plain = hashed_matrix(name, trials, units);
  Matrix<double> rows = plain;
  for (std::int64_t i = 0; i < trials; ++i) {
    for (std::int64_t k = 1; k < units; ++k) rows(i, k) += 0.5 * plain(i, k - 1);
  }
  return rows;
}

// More trials than units, and fewer, where another matrix is factored.
TEST(ShrunkCovariance, AgreesWithScikitLearn) {
  const Golden golden("similarity");
  struct Case {
    std::string name;
    std::int64_t trials, units, degrees;
  };
  for (const Case& c : {Case{"tall", 60, 11, 50}, Case{"wide", 20, 33, 15}}) {
    const ShrunkCovariance noise(CpuStream(2), golden_noise(c.name, c.trials, c.units), c.degrees);
    const auto expected = golden.at("noise/" + c.name + "/shrinkage").values<double>();
    EXPECT_NEAR(noise.shrinkage(), expected[0], 1e-13) << c.name;
    EXPECT_NEAR(noise.mean_variance(), expected[1], 1e-14) << c.name;
    // Conditions below 100, of sums of up to 60 terms.
    expect_near(mahalanobis(CpuStream(2), hashed_matrix(c.name + "/items", 9, c.units), noise),
                golden.at("noise/" + c.name + "/distance").values<double>(), 1e-12);
  }
}

TEST(ShrunkCovariance, RefusesWhatCannotBeInverted) {
  const CpuStream stream(1);
  EXPECT_THROW(ShrunkCovariance(stream, Matrix<double>(5, 3), 4), InputError);         // no variance
  EXPECT_THROW(ShrunkCovariance(stream, hashed_matrix("one", 1, 3), 1), InputError);   // one trial
  EXPECT_THROW(ShrunkCovariance(stream, hashed_matrix("none", 4, 3), 0), InputError);  // no repeats
  EXPECT_THROW(ShrunkCovariance(stream, Matrix<double>(0, 3), 1), InputError);
  Matrix<double> bad = hashed_matrix("bad", 4, 3);
  bad(1, 1) = kNaN;
  EXPECT_THROW(ShrunkCovariance(stream, bad, 3), NumericalError);
  const ShrunkCovariance one_unit(stream, hashed_matrix("unit", 6, 1), 5);
  EXPECT_EQ(one_unit.shrinkage(), 0.0);
  EXPECT_THROW(mahalanobis(stream, hashed_matrix("two", 3, 2), one_unit), InputError);
}

TEST(Mahalanobis, ListsItemsWithoutAndFindsEqualOnes) {
  const ShrunkCovariance noise(CpuStream(1), golden_noise("tall", 60, 11), 50);
  Matrix<double> x = hashed_matrix("items", 4, 11);
  for (double& value : x.values()) value += 1e3;
  std::ranges::copy(x.row(1), x.row(3).begin());
  x(2, 5) = kNaN;
  const Rdm rdm = mahalanobis(CpuStream(1), x, noise);
  EXPECT_EQ(rdm.undefined, std::vector<std::int64_t>{2});
  EXPECT_EQ(rdm.missing(), 3);
  EXPECT_EQ(rdm(1, 3), 0.0);
  EXPECT_GT(rdm(0, 1), 0.0);
}

std::vector<Matrix<double>> golden_repeats(const std::string& name, std::int64_t repeats, std::int64_t units,
                                           std::int64_t items) {
  std::vector<Matrix<double>> trials;
  const Matrix<double> truth = hashed_matrix(name, items, units);
  for (std::int64_t r = 0; r < repeats; ++r) {
    trials.push_back(hashed_matrix(name + "/" + std::to_string(r), items, units));
    for (std::size_t i = 0; i < truth.values().size(); ++i) trials.back().values()[i] += truth.values()[i];
  }
  return trials;
}

TEST(CrossValidated, AgreesWithItsDefinition) {
  const Golden golden("similarity");
  const CpuStream stream(2);
  const auto euclidean = golden_repeats("euclidean", 3, 8, 6);
  expect_near(cross_validated(stream, euclidean, nullptr), golden.at("cross/euclidean").values<double>(), 1e-13);

  const auto plain = golden_repeats("mahalanobis", 4, 8, 7);
  const ShrunkCovariance noise = noise_covariance(stream, plain);
  expect_near(cross_validated(stream, plain, &noise), golden.at("cross/mahalanobis").values<double>(), 1e-12);

  auto gaps = golden_repeats("gaps", 4, 8, 7);
  for (const auto& [repeat, item] : {std::pair{0, 1}, {2, 1}, {0, 3}, {1, 3}, {2, 3}, {3, 3}, {1, 4}, {2, 4}, {3, 4}}) {
    gaps[static_cast<std::size_t>(repeat)](item, 0) = kNaN;
  }
  const ShrunkCovariance gap_noise = noise_covariance(stream, gaps);
  const Rdm rdm = cross_validated(stream, gaps, &gap_noise);
  expect_near(rdm, golden.at("cross/gaps").values<double>(), 1e-12);
  EXPECT_EQ(rdm.undefined, (std::vector<std::int64_t>{3, 4}));  // item 4 was shown once: nothing to compare it with
  EXPECT_EQ(incomplete_trials(gaps), 9);
}

// What it is for: items that do not differ are 0 apart on average however noisy the trials are, while the distance of
// their means is not.
TEST(CrossValidated, HasNoBias) {
  constexpr std::int64_t kItems = 60, kUnits = 20;
  const RandomStream random({.seed = 7});
  std::vector<Matrix<double>> repeats;
  std::uint64_t at = 0;
  for (int r = 0; r < 4; ++r) {
    repeats.emplace_back(kItems, kUnits);
    for (double& value : repeats.back().values()) value = random.normal(at++);
  }
  const CpuStream stream(2);
  const ShrunkCovariance noise = noise_covariance(stream, repeats);
  const Rdm crossed = cross_validated(stream, repeats, &noise);
  const Rdm biased = dissimilarity<double>(stream, item_means(repeats), Dissimilarity::kSquaredEuclidean);
  double mean = 0, mean_biased = 0;
  for (std::size_t i = 0; i < crossed.values.size(); ++i) {
    mean += crossed.values[i] / static_cast<double>(crossed.values.size());
    mean_biased += biased.values[i] / static_cast<double>(crossed.values.size());
  }
  EXPECT_NEAR(mean_biased, 2.0 * kUnits / 4.0, 1.0);
  // The sum over pairs rests on about items * units products of noise with a standard deviation below 1.
  EXPECT_NEAR(mean, 0.0, 0.3);
  EXPECT_LT(*std::ranges::min_element(crossed.values), 0.0);
}

TEST(CrossValidated, HasTheSameBitsForAnyNumberOfThreads) {
  const auto repeats = golden_repeats("threads", 5, 90, 70);
  const ShrunkCovariance one = noise_covariance(CpuStream(1), repeats), two = noise_covariance(CpuStream(2), repeats);
  EXPECT_EQ(cross_validated(CpuStream(1), repeats, &one).values, cross_validated(CpuStream(2), repeats, &two).values);
  EXPECT_EQ(mahalanobis(CpuStream(1), repeats[0], one).values, mahalanobis(CpuStream(2), repeats[0], two).values);
}

TEST(CrossValidated, NeedsRepeats) {
  const auto one = golden_repeats("one", 1, 4, 3);
  EXPECT_THROW(cross_validated(CpuStream(1), one, nullptr), InputError);
  EXPECT_THROW(noise_covariance(CpuStream(1), one), InputError);
  std::vector<Matrix<double>> uneven{Matrix<double>(3, 4), Matrix<double>(3, 5)};
  EXPECT_THROW(cross_validated(CpuStream(1), uneven, nullptr), InputError);
}

TEST(Repeats, AreTheLastAxis) {
  std::vector<float> values(2 * 3 * 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const auto repeats = by_repeat(Tensor::of<float>({2, 3, 4}, values));
  ASSERT_EQ(repeats.size(), 4u);
  EXPECT_EQ(repeats[1].rows(), 3);
  EXPECT_EQ(repeats[1](2, 1), 1 * 12 + 2 * 4 + 1);
  EXPECT_THROW(by_repeat(Tensor::of<float>({6, 4}, values)), ShapeError);
}

}  // namespace
}  // namespace chiasm::test
