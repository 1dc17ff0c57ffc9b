// SPDX-License-Identifier: Apache-2.0
// The normal distribution and the tails of test statistics against mpmath with 40 digits.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "analysis/matrix.h"
#include "analysis/statistics/kolmogorov_smirnov.h"
#include "analysis/statistics/normal.h"
#include "analysis/statistics/tails.h"
#include "tests/support/golden.h"

namespace chiasm::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Rows of the golden tensor are arguments and result.
void expect_rows(const std::string& name, double relative, const std::function<double(std::span<const double>)>& of) {
  static const Golden golden("distributions");
  const Matrix<double> rows = matrix_of<double>(golden.at(name));
  ASSERT_GE(rows.rows(), 10);
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    const double expected = rows.row(i).back();
    EXPECT_NEAR(of(rows.row(i)), expected, relative * std::abs(expected)) << name << " of " << rows(i, 0);
  }
}

// Both promise a few units in the last place.
TEST(Normal, AgreesWithFortyDigits) {
  expect_rows("normal_cdf", 1e-15, [](auto x) { return normal_cdf(x[0]); });
  expect_rows("normal_quantile", 1e-15, [](auto x) { return normal_quantile(x[0]); });
}

// spec/neural_analysis.md section 12, given to ten decimals.
TEST(Normal, AgreesWithTheSpec) {
  EXPECT_NEAR(normal_quantile(0.9), 1.2815515655, 5e-11);
  EXPECT_NEAR(normal_quantile(0.2), -0.8416212336, 5e-11);
  EXPECT_NEAR(normal_quantile(0.9) - normal_quantile(0.2), 2.1231727991, 5e-11);
}

TEST(Normal, HasItsLimits) {
  EXPECT_EQ(normal_quantile(1.0), kInfinity);
  EXPECT_EQ(normal_quantile(0.0), -kInfinity);
  EXPECT_EQ(normal_quantile(0.5), 0.0);
  EXPECT_TRUE(std::isnan(normal_quantile(-0.1)) && std::isnan(normal_quantile(1.1)) &&
              std::isnan(normal_quantile(kNaN)));
  EXPECT_EQ(normal_cdf(kInfinity), 1.0);
  EXPECT_EQ(normal_cdf(-kInfinity), 0.0);
  EXPECT_TRUE(std::isnan(normal_cdf(kNaN)));
  for (const double p : {5e-324, 1e-310, 1e-200, 1e-5, 0.3, 0.7}) {           // 5e-324 is the least positive double
    EXPECT_NEAR(normal_cdf(normal_quantile(p)), p, 1e-12 * p + 5e-324) << p;  // 2 log(1 / p) * epsilon
  }
}

TEST(Tails, AgreeWithFortyDigits) {
  expect_rows("t", 1e-12, [](auto x) { return student_t_two_sided(x[0], x[1]); });
  expect_rows("chi_square", 1e-12, [](auto x) { return chi_square_upper(x[0], x[1]); });
  expect_rows("f", 1e-12, [](auto x) { return f_upper(x[0], x[1], x[2]); });
  // Its lower series is taken from 1, which costs nothing where the result is large.
  expect_rows("kolmogorov", 1e-14, [](auto x) { return kolmogorov_upper(x[0]); });
}

TEST(Tails, HaveTheirLimits) {
  EXPECT_EQ(student_t_two_sided(0.0, 5.0), 1.0);
  EXPECT_EQ(student_t_two_sided(-2.0, 5.0), student_t_two_sided(2.0, 5.0));
  EXPECT_EQ(student_t_two_sided(-kInfinity, 5.0), 0.0);
  EXPECT_TRUE(std::isnan(student_t_two_sided(kNaN, 5.0)) && std::isnan(student_t_two_sided(1.0, 0.0)));
  EXPECT_EQ(chi_square_upper(0.0, 3.0), 1.0);
  EXPECT_EQ(chi_square_upper(kInfinity, 3.0), 0.0);
  EXPECT_TRUE(std::isnan(chi_square_upper(kNaN, 3.0)) && std::isnan(chi_square_upper(1.0, 0.0)));
  EXPECT_EQ(f_upper(0.0, 2.0, 3.0), 1.0);
  EXPECT_EQ(kolmogorov_upper(0.0), 1.0);
  EXPECT_TRUE(std::isnan(kolmogorov_upper(kNaN)));
  EXPECT_NEAR(kolmogorov_upper(std::nextafter(1.0, 0.0)), kolmogorov_upper(1.0), 1e-15);  // the two series meet
}

}  // namespace
}  // namespace chiasm::test
