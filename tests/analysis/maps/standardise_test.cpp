// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/standardise.h"

#include <gtest/gtest.h>

#include <cmath>

namespace chiasm {
namespace {

TEST(Standardise, GivesMeanZeroAndDeviationOneToWhatVaries) {
  constexpr std::int64_t kRows = 50, kUnits = 4;
  Matrix<double> x(kRows, kUnits);
  for (std::int64_t i = 0; i < kRows; ++i) {
    x(i, 0) = std::sin(static_cast<double>(i));
    x(i, 1) = 1e6 + 1e-3 * std::cos(static_cast<double>(i));
    x(i, 2) = 0.1;  // which no sum of itself is exactly a multiple of
    x(i, 3) = -3 * x(i, 0);
  }
  const Source<double> whole(x);
  // Three rows at a time, as from a file that does not fit.
  const Source<double> in_blocks(
      kRows, kUnits,
      [&](std::int64_t first, std::int64_t count) {
        std::vector<std::int64_t> rows;
        for (std::int64_t i = first; i < first + count; ++i) rows.push_back(i);
        return take_rows<double>(x, rows);
      },
      3 * kUnits * 8);
  const CpuStream stream(1);
  for (const Source<double>& source : {whole, in_blocks}) {
    const Standardised<double> result = standardised(source);
    EXPECT_EQ(result.constant, 1);
    const Matrix<double>& z = result.source.values(stream);
    for (std::int64_t k = 0; k < kUnits; ++k) {
      double sum = 0.0, square = 0.0;
      for (std::int64_t i = 0; i < kRows; ++i) {
        sum += z(i, k);
        square += z(i, k) * z(i, k);
      }
      // Unit 1 varies by 1e-9 of its size: its own values carry no more than 7 digits of that.
      EXPECT_NEAR(sum / kRows, 0.0, k == 1 ? 1e-6 : 1e-14);
      EXPECT_NEAR(square / kRows, k == 2 ? 0.0 : 1.0, k == 1 ? 1e-6 : 1e-13);
    }
    for (std::int64_t i = 0; i < kRows; ++i) EXPECT_NEAR(z(i, 3), -z(i, 0), 1e-13);
  }
}

}  // namespace
}  // namespace chiasm
