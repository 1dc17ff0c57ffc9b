// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/classical_mds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/error.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"

namespace chiasm::test {
namespace {

// The 3-4-5 triangle of spec/neural_analysis.md section 12, given to ten decimals. The spec has ...9995 for the first
// eigenvalue, a misprint: the trace of B is a third of the squared distances, 50 / 3, and leaves ...9965.
TEST(ClassicalMds, AgreesWithTheSpec) {
  const Rdm triangle = rdm_of_triangle({3, 4, 5}, "triangle");
  const MdsPoints mds = classical_mds(triangle, 2);
  EXPECT_NEAR(mds.eigenvalues[0], 12.9641479965, 6e-11);
  EXPECT_NEAR(mds.eigenvalues[1], 3.7025186702, 6e-11);
  EXPECT_NEAR(mds.eigenvalues[2], 0.0, 1e-14);
  EXPECT_NEAR(mds.eigenvalues[0] + mds.eigenvalues[1], 50.0 / 3.0, 1e-14 * 17);
  EXPECT_EQ(mds.negative, 0);
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      EXPECT_NEAR(std::hypot(mds.points(i, 0) - mds.points(j, 0), mds.points(i, 1) - mds.points(j, 1)), triangle(i, j),
                  1e-14);
    }
  }
}

TEST(ClassicalMds, AgreesWithItsDefinition) {
  const Golden golden("similarity");
  const auto distances = golden.at("mds/distances").values<double>();
  const MdsPoints mds = classical_mds(rdm_of_triangle({distances.begin(), distances.end()}, "golden"), 3);
  const auto values = golden.at("mds/values").values<double>();
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_NEAR(mds.eigenvalues[k], values[k], 1e-14 * 8) << k;
  EXPECT_TRUE(near(tensor_of<double>(mds.points).view(), golden.at("mds/points").view(), {1e-12, 0.0}));
  EXPECT_GT(mds.negative, 0);
}

TEST(ClassicalMds, HasNoCoordinatesWhereThereIsNoDistance) {
  const MdsPoints mds = classical_mds(rdm_of_triangle({1}, "two items"), 2);
  EXPECT_DOUBLE_EQ(std::abs(mds.points(0, 0) - mds.points(1, 0)), 1.0);
  EXPECT_NEAR(mds.points(0, 1), 0.0, 1e-8);  // the root of a rounding error, or 0
  EXPECT_THROW(classical_mds(rdm_of_triangle({1}, "two items"), 3), InputError);
  EXPECT_THROW(classical_mds(rdm_of_triangle({1}, "two items"), 0), InputError);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(classical_mds(rdm_of_triangle({1, nan, 1}, "three items"), 2), InputError);
}

}  // namespace
}  // namespace chiasm::test
