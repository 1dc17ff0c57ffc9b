// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/dissimilarity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/error.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"

namespace chiasm::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Dissimilarity kAll[] = {Dissimilarity::kCorrelation, Dissimilarity::kEuclidean,
                                  Dissimilarity::kSquaredEuclidean, Dissimilarity::kCosine};

Matrix<double> hashed_matrix(const std::string& name, std::int64_t rows, std::int64_t columns) {
  return {rows, columns, hashed(name, rows * columns)};
}

template <class T>
Matrix<T> cast(const Matrix<double>& x) {
  return {x.rows(), x.columns(), std::vector<T>(x.values().begin(), x.values().end())};
}

// x of similarity.py: more than one tile of items and more than one chunk of units.
Matrix<double> golden_items() {
  Matrix<double> x = hashed_matrix("x", 70, 600);
  const std::vector<double> units = hashed("units", 600);
  for (std::int64_t i = 0; i < 70; ++i) {
    for (std::int64_t k = 0; k < 600; ++k) x(i, k) = 3.0 * x(i, k) + units[static_cast<std::size_t>(k)] + 0.5;
  }
  return x;
}

// As one source that lies in memory, and as one of which 24 rows may be held.
template <class T>
Source<T> streamed(const Matrix<T>& x) {
  const auto read = [x](std::int64_t first, std::int64_t count) {
    Matrix<T> rows(count, x.columns());
    std::copy_n(x.data() + first * x.columns(), count * x.columns(), rows.data());
    return rows;
  };
  return {x.rows(), x.columns(), read, 24 * x.columns() * static_cast<std::int64_t>(sizeof(T))};
}

TEST(Dissimilarity, AgreesWithSciPy) {
  const Golden golden("similarity");
  const Matrix<double> x = golden_items();
  for (const Dissimilarity measure : kAll) {
    const Rdm rdm = dissimilarity<double>(CpuStream(2), x, measure);
    const auto expected = golden.at("distance/" + to_string(measure)).values<double>();
    ASSERT_EQ(rdm.values.size(), 70u * 69 / 2);
    ASSERT_EQ(expected.size(), (rdm.values.size() + 22) / 23);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Sums of 600 rounded terms, in two orders.
      EXPECT_NEAR(rdm.values[23 * i], expected[i], 1e-13 * std::abs(expected[i])) << to_string(measure) << i;
    }
    EXPECT_TRUE(rdm.undefined.empty());
  }
}

// The vector of spec/neural_analysis.md section 12, given to ten decimals.
TEST(Dissimilarity, AgreesWithTheSpec) {
  const Matrix<double> a(4, 3, {1, 0, 2, 2, 1, 0, 0, 3, 1, 4, 1, 1});
  const Matrix<double> b(4, 4, {1, .5, 2, 0, 2, -1, 0, 1, .5, 3, 1, 1, 4, 0, 2, 3});
  const auto values = [](const Matrix<double>& x) {
    return dissimilarity<double>(CpuStream(1), x, Dissimilarity::kCorrelation).values;
  };
  using testing::DoubleNear, testing::ElementsAre;
  const auto near = [](double value) { return DoubleNear(value, 6e-11); };
  EXPECT_THAT(values(a), ElementsAre(near(1.5), near(1.6546536707), near(1), near(1.3273268354), near(.1339745962),
                                     near(1.755928946)));
  EXPECT_THAT(values(b), ElementsAre(near(1.0755928946), near(1.2860772513), near(.9714285714), near(1.8733337646),
                                     near(.0172923702), near(1.9462555235)));
}

TEST(Dissimilarity, HasTheSameBitsForAnyNumberOfThreads) {
  const Matrix<double> x = hashed_matrix("threads", 150, 1100);
  for (const Dissimilarity measure : kAll) {
    const Rdm one = dissimilarity<double>(CpuStream(1), x, measure);
    EXPECT_EQ(one.values, dissimilarity<double>(CpuStream(2), x, measure).values);
    EXPECT_EQ(one.values, dissimilarity<double>(CpuStream(5), x, measure).values);
  }
}

TEST(Dissimilarity, OfASourceInBlocksIsThatOfAMatrix) {
  const Matrix<double> x = golden_items();
  const Matrix<float> narrow = cast<float>(x);
  for (const Dissimilarity measure : kAll) {
    const std::vector<double> whole = dissimilarity<double>(CpuStream(2), x, measure).values;
    EXPECT_EQ(whole, dissimilarity<double>(CpuStream(2), Source<double>(x), measure).values);
    // Other tiles: the same sums in the library's other orders.
    const std::vector<double> blocks = dissimilarity<double>(CpuStream(2), streamed(x), measure).values;
    const std::vector<double> floats = dissimilarity<float>(CpuStream(2), streamed(narrow), measure).values;
    Matrix<double> widened(x.rows(), x.columns());
    std::ranges::copy(narrow.values(), widened.data());
    const std::vector<double> exact = dissimilarity<double>(CpuStream(2), widened, measure).values;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      ASSERT_NEAR(blocks[i], whole[i], 1e-13 * whole[i]);
      ASSERT_NEAR(floats[i], exact[i], 1e-13 * whole[i]);  // float32 is but a way to store them
    }
    EXPECT_EQ(dissimilarity<float>(CpuStream(1), narrow, measure).values,
              dissimilarity<float>(CpuStream(2), narrow, measure).values);
  }
}

// 1 - r would leave 1e-16 or less than nothing, and |a|^2 + |b|^2 - 2 a b much more.
TEST(Dissimilarity, OfEqualItemsIsZero) {
  Matrix<double> x = hashed_matrix("equal", 5, 300);
  for (double& value : x.values()) value += 1e4;
  std::ranges::copy(x.row(1), x.row(4).begin());
  for (std::int64_t k = 0; k < 300; ++k) x(3, k) = x(1, k) + 1e-7 * static_cast<double>(k % 2);
  for (const Dissimilarity measure : kAll) {
    const Rdm rdm = dissimilarity<double>(CpuStream(1), x, measure);
    EXPECT_EQ(rdm(1, 4), 0.0) << to_string(measure);
    EXPECT_GT(rdm(1, 3), 0.0) << to_string(measure);
    EXPECT_EQ(rdm(1, 3), rdm(3, 4)) << to_string(measure);
  }
  // 150 differences of 1e-7, each of which the values hold to 1e4 * epsilon = 2e-12.
  EXPECT_NEAR(dissimilarity<double>(CpuStream(1), x, Dissimilarity::kSquaredEuclidean)(1, 3), 150e-14, 150e-14 * 1e-4);
}

// Multiples of one pattern, also with a large constant added: all distances tie, whatever rounding leaves.
TEST(Dissimilarity, OfRescaledItemsIsZeroOrTwo) {
  const auto check = [&]<class T>(T) {
    const std::vector<double> pattern = hashed("pattern", 95);
    for (const Dissimilarity measure : {Dissimilarity::kCorrelation, Dissimilarity::kCosine}) {
      const double constant = measure == Dissimilarity::kCorrelation ? 100.0 : 0.0;
      Matrix<T> x(30, 95);
      for (std::int64_t i = 0; i < 30; ++i) {
        const double factor = (i % 3 == 2 ? -0.7 : 1.1) * static_cast<double>(i + 1);
        for (std::int64_t k = 0; k < 95; ++k) {
          x(i, k) = static_cast<T>(factor * pattern[static_cast<std::size_t>(k)] + constant * static_cast<double>(i));
        }
      }
      const Rdm rdm = dissimilarity<T>(CpuStream(1), x, measure);
      for (std::int64_t i = 0; i < 30; ++i) {
        for (std::int64_t j = i + 1; j < 30; ++j) {
          const double expected = (i % 3 == 2) == (j % 3 == 2) ? 0.0 : 2.0;
          ASSERT_EQ(rdm.values[static_cast<std::size_t>(pair_index(30, i, j))], expected) << i << " " << j;
        }
      }
    }
  };
  check(float{});
  check(double{});
}

// Ones that are merely alike are not taken for equal: 1 - r is about half of the square of what was added.
TEST(Dissimilarity, OfItemsThatAreAlikeIsNotZero) {
  Matrix<double> x(2, 95);
  const std::vector<double> pattern = hashed("pattern", 95), other = hashed("other", 95);
  for (std::int64_t k = 0; k < 95; ++k) {
    x(0, k) = pattern[static_cast<std::size_t>(k)];
    x(1, k) = pattern[static_cast<std::size_t>(k)] + 1e-12 * other[static_cast<std::size_t>(k)];
  }
  const double distance = dissimilarity<double>(CpuStream(1), x, Dissimilarity::kCorrelation).values[0];
  EXPECT_GT(distance, 1e-26);
  EXPECT_LT(distance, 1e-22);
}

TEST(Dissimilarity, ListsItemsThatHaveNone) {
  Matrix<double> x = hashed_matrix("undefined", 6, 20);
  std::ranges::fill(x.row(1), 0.1);  // constant
  std::ranges::fill(x.row(2), 0.0);
  x(4, 7) = kNaN;
  x(5, 0) = std::numeric_limits<double>::infinity();
  const auto undefined = [&](Dissimilarity measure) {
    const Rdm rdm = dissimilarity<double>(CpuStream(1), x, measure);
    std::int64_t defined = 0;
    for (std::int64_t i = 0; i < 6; ++i) {
      const bool listed = std::ranges::find(rdm.undefined, i) != rdm.undefined.end();
      defined += listed ? 0 : 1;
      for (std::int64_t j = 0; j < 6; ++j) {
        if (!listed || i == j) continue;
        EXPECT_TRUE(std::isnan(rdm(i, j))) << to_string(measure) << i << j;
      }
    }
    EXPECT_EQ(rdm.missing(), 15 - defined * (defined - 1) / 2) << to_string(measure);
    return rdm.undefined;
  };
  using Items = std::vector<std::int64_t>;
  EXPECT_EQ(undefined(Dissimilarity::kCorrelation), (Items{1, 2, 4, 5}));
  EXPECT_EQ(undefined(Dissimilarity::kCosine), (Items{2, 4, 5}));
  EXPECT_EQ(undefined(Dissimilarity::kEuclidean), (Items{4, 5}));
  EXPECT_EQ(undefined(Dissimilarity::kSquaredEuclidean), (Items{4, 5}));
  EXPECT_THROW(dissimilarity<double>(CpuStream(1), Source<double>(x), Dissimilarity::kEuclidean), NumericalError);
}

TEST(Dissimilarity, OfFewItemsOrUnits) {
  for (const Dissimilarity measure : kAll) {
    EXPECT_TRUE(dissimilarity<double>(CpuStream(1), Matrix<double>(0, 4), measure).values.empty());
    EXPECT_TRUE(dissimilarity<double>(CpuStream(1), hashed_matrix("one", 1, 4), measure).values.empty());
    EXPECT_EQ(dissimilarity<double>(CpuStream(1), hashed_matrix("two", 2, 4), measure).values.size(), 1u);
    EXPECT_EQ(dissimilarity<double>(CpuStream(1), hashed_matrix("unit", 3, 1), measure).values.size(), 3u);
    EXPECT_EQ(dissimilarity<double>(CpuStream(1), Matrix<double>(3, 0), measure).values.size(), 3u);
  }
  // One unit has no variance across units.
  EXPECT_EQ(dissimilarity<double>(CpuStream(1), hashed_matrix("unit", 3, 1), Dissimilarity::kCorrelation).missing(), 3);
}

TEST(Dissimilarity, HasNames) {
  for (const Dissimilarity measure : kAll) EXPECT_EQ(parse_dissimilarity(to_string(measure)), measure);
  EXPECT_EQ(dissimilarity_names().size(), 4u);
  try {
    parse_dissimilarity("pearson");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "dissimilarity \"pearson\": known are correlation, euclidean, sqeuclidean, cosine");
  }
}

}  // namespace
}  // namespace chiasm::test
