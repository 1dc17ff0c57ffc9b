// SPDX-License-Identifier: Apache-2.0
#include "analysis/matrix.h"

#include <gtest/gtest.h>

namespace chiasm {
namespace {

TEST(Matrix, RowsAndColumnsAreTakenAndTurned) {
  Matrix<double> x(40, 70);
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t k = 0; k < 70; ++k) x(i, k) = static_cast<double>(100 * i + k);
  }
  const std::vector<std::int64_t> rows{39, 0, 39};
  const Matrix<double> taken = take_rows<double>(x, rows);
  EXPECT_EQ(taken.rows(), 3);
  EXPECT_EQ(taken(0, 5), 3905.0);
  EXPECT_EQ(taken(1, 69), 69.0);
  EXPECT_EQ(taken(2, 5), 3905.0);
  const Matrix<double> turned = transposed<double>(x);
  EXPECT_EQ(turned.rows(), 70);
  EXPECT_EQ(turned(69, 38), 3869.0);
  EXPECT_EQ(transposed<double>(turned), x);
}

TEST(Matrix, ComesFromATensorOfAnyType) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 250, 5, 6};
  const Matrix<float> m = matrix_of<float>(Tensor::of<std::uint8_t>({2, 3}, bytes));
  EXPECT_EQ(m(1, 0), 250.0F);
  EXPECT_EQ(matrix_of<double>(tensor_of<float>(m)).values()[5], 6.0);
  EXPECT_EQ(matrix_of<double>(Tensor::of<std::uint8_t>({6}, bytes)).columns(), 1);
  EXPECT_THROW(matrix_of<double>(Tensor::of<std::uint8_t>({1, 2, 3}, bytes)), ShapeError);
}

}  // namespace
}  // namespace chiasm
