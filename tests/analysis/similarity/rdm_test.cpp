// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rdm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Rdm, IsTheUpperTriangleByRows) {
  std::int64_t expected = 0;
  for (std::int64_t i = 0; i < 7; ++i) {
    for (std::int64_t j = i + 1; j < 7; ++j) EXPECT_EQ(pair_index(7, i, j), expected++);
  }
  const Rdm rdm = rdm_of_triangle({1, 2, 3, 4, 5, 6}, "a file");
  EXPECT_EQ(rdm.items, 4);
  EXPECT_EQ(rdm(0, 3), 3.0);
  EXPECT_EQ(rdm(2, 1), 4.0);
  EXPECT_EQ(rdm(2, 2), 0.0);
  EXPECT_EQ(rdm_of_square(square_of(rdm), "a file").values, rdm.values);
}

TEST(Rdm, RefusesWhatIsNotOne) {
  const auto message = [](auto&& make) -> std::string {
    try {
      make();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  using testing::HasSubstr;
  EXPECT_THAT(message([] { rdm_of_triangle({1, 2}, "x.npy"); }), HasSubstr("x.npy has 2 values"));
  EXPECT_THAT(message([] { rdm_of_triangle({}, "x.npy"); }), HasSubstr("x.npy has 0 values"));
  EXPECT_THAT(message([] { rdm_of_square(Matrix<double>(2, 3), "x.npy"); }), HasSubstr("x.npy is 2 x 3"));
  EXPECT_THAT(message([] { rdm_of_square(Matrix<double>(2, 2, {0, 1, 2, 0}), "x.npy"); }), HasSubstr("at (0, 1)"));
  EXPECT_THAT(message([] { rdm_of_square(Matrix<double>(2, 2, {0, 1, 1, 3}), "x.npy"); }), HasSubstr("at (1, 1)"));
  const Rdm rdm = rdm_of_square(Matrix<double>(3, 3, {0, kNaN, 1, kNaN, 0, 2, 1.0000001, 2, kNaN}), "x.npy");
  EXPECT_EQ(rdm.missing(), 1);
  EXPECT_EQ(rdm(1, 2), 2.0);
}

}  // namespace
}  // namespace chiasm
