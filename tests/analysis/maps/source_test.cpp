// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/source.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/maps/products.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

template <class T>
Matrix<T> waves(std::int64_t rows, std::int64_t columns) {
  Matrix<T> x(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < columns; ++k) {
      x(i, k) =
          static_cast<T>(3.0 + std::sin(0.37 * static_cast<double>(i * k) + 1.3 * static_cast<double>(i + 2 * k)));
    }
  }
  return x;
}

// A source that lies elsewhere, with the most rows asked for at once.
template <class T>
Source<T> streamed(const Matrix<T>& x, std::int64_t most_bytes, std::int64_t* most_rows = nullptr) {
  return Source<T>(
      x.rows(), x.columns(),
      [&x, most_rows](std::int64_t first, std::int64_t count) {
        if (most_rows != nullptr) *most_rows = std::max(*most_rows, count);
        std::vector<std::int64_t> rows;
        for (std::int64_t i = 0; i < count; ++i) rows.push_back(first + i);
        return take_rows<T>(x, rows);
      },
      most_bytes);
}

template <class T>
double plain_product(const Matrix<T>& x, std::int64_t i, std::int64_t k) {
  double sum = 0.0;
  for (std::int64_t u = 0; u < x.columns(); ++u) {
    double mean = 0.0;
    for (std::int64_t r = 0; r < x.rows(); ++r) mean += static_cast<double>(x(r, u)) / static_cast<double>(x.rows());
    sum += (static_cast<double>(x(i, u)) - mean) * (static_cast<double>(x(k, u)) - mean);
  }
  return sum;
}

// Few rows (one tile in slices of the units), more rows than a tile, fewer units than are converted at once.
TEST(Source, GramIsThatOfCentredRows) {
  for (const auto& [rows, columns] : {std::pair(5, 3000), std::pair(300, 70), std::pair(1, 4), std::pair(3, 1)}) {
    const Matrix<float> x = waves<float>(rows, columns);
    const Source<float> source(x);
    const Matrix<double>& gram = source.gram(CpuStream(2));
    for (const auto& [i, k] :
         {std::pair(0, 0), std::pair(rows - 1, 0), std::pair(0, rows - 1), std::pair(rows / 2, rows - 1)}) {
      // Two orders of summation of at most 3000 products of size 1 in double.
      EXPECT_NEAR(gram(i, k), plain_product(x, i, k), 1e-11) << rows << "x" << columns << ": " << i << "," << k;
    }
    EXPECT_EQ(Source<float>(x).gram(CpuStream(1)), gram);  // the same bits for any number of threads
  }
}

TEST(Source, LargerThanMemoryIsReadInBlocks) {
  const Matrix<double> x = waves<double>(61, 40);
  std::int64_t most_rows = 0;
  const Source<double> source = streamed(x, 10 * 40 * 8, &most_rows);
  EXPECT_FALSE(source.fits());
  const Matrix<double>& gram = source.gram(CpuStream(1));
  EXPECT_LE(most_rows, 10);
  const Source<double> whole(x);
  for (std::int64_t i = 0; i < 61; ++i) {
    for (std::int64_t k = 0; k < 61; ++k) EXPECT_NEAR(gram(i, k), whole.gram(CpuStream(1))(i, k), 1e-12);
  }
  const std::vector<std::int64_t> rows{60, 3, 17};
  EXPECT_EQ(source.rows(rows), take_rows<double>(x, rows));
  EXPECT_LE(most_rows, 10);
  const ColumnMoments some = column_moments<double>(CpuStream(2), source, rows);
  const ColumnMoments same =
      column_moments<double>(CpuStream(1), take_rows<double>(x, std::vector<std::int64_t>{3, 17, 60}));
  EXPECT_EQ(some.mean, same.mean);
  EXPECT_EQ(some.squares, same.squares);
  EXPECT_EQ(source.values(CpuStream(1)), x);
}

// Even a budget below one row reads row by row.
TEST(Source, ReadsAtLeastOneRow) {
  const Matrix<double> x = waves<double>(4, 10);
  std::int64_t most_rows = 0;
  const Source<double> source = streamed(x, 1, &most_rows);
  EXPECT_NEAR(source.gram(CpuStream(1))(3, 1), plain_product(x, 3, 1), 1e-13);
  EXPECT_EQ(most_rows, 1);
}

TEST(Source, MomentsOfEqualValuesAreExact) {
  Matrix<double> x(7, 2);
  for (std::int64_t i = 0; i < 7; ++i) {
    x(i, 0) = 0.1;
    x(i, 1) = 1e6 + static_cast<double>(i);
  }
  const ColumnMoments moments = column_moments<double>(CpuStream(1), x);
  EXPECT_EQ(moments.mean[0], 0.1);
  EXPECT_EQ(moments.squares[0], 0.0);
  EXPECT_EQ(moments.squares[1], 28.0);  // small whole numbers about the first value: no rounding
}

TEST(Source, NamesTheFirstValueThatIsNotFinite) {
  Matrix<float> x = waves<float>(6, 9);
  x(4, 7) = std::numeric_limits<float>::infinity();
  x(5, 1) = std::numeric_limits<float>::quiet_NaN();
  for (const Source<float>& source : {Source<float>(x), streamed(x, 2 * 9 * 4)}) {
    try {
      source.gram(CpuStream(2));
      FAIL() << "not noticed";
    } catch (const NumericalError& error) {
      EXPECT_EQ(error.node(), "stimulus 4, unit 7");
      EXPECT_NE(std::string(error.what()).find("inf"), std::string::npos) << error.what();
    }
    EXPECT_THROW(source.values(CpuStream(1)), NumericalError);
  }
}

TEST(Source, RefusesBlocksOfAnotherSize) {
  const Source<double> source(5, 3, [](std::int64_t, std::int64_t count) { return Matrix<double>(count, 2); });
  EXPECT_THROW(source.values(CpuStream(1)), InternalError);
}

}  // namespace
}  // namespace chiasm
