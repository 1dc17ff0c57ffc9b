// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/cka.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"

namespace chiasm::test {
namespace {

Matrix<double> hashed_matrix(const std::string& name, std::int64_t rows, std::int64_t columns) {
  return {rows, columns, hashed(name, rows * columns)};
}

TEST(Cka, AgreesWithItsDefinition) {
  const Golden golden("similarity");
  struct Case {
    std::string name;
    std::int64_t n, p, q;
  };
  for (const Case& c : {Case{"wide", 12, 40, 25}, Case{"tall", 30, 4, 7}}) {
    const Matrix<double> a = hashed_matrix(c.name + "/a", c.n, c.p);
    Matrix<double> b = hashed_matrix(c.name + "/b", c.n, c.q);
    for (std::int64_t i = 0; i < c.n; ++i) {
      for (std::int64_t k = 0; k < std::min(c.p, c.q); ++k) b(i, k) += a(i, k);
    }
    const Cka result = cka<double>(CpuStream(2), Source<double>(a), Source<double>(b));
    const auto expected = golden.at("cka/" + c.name).values<double>();
    EXPECT_NEAR(result.value, expected[0], 1e-13) << c.name;
    EXPECT_NEAR(result.unbiased, expected[1], 1e-12) << c.name;  // differences of sums 10 times as large
  }
}

TEST(Cka, IgnoresRotationScaleAndOffset) {
  const Matrix<double> a = hashed_matrix("a", 15, 2);
  Matrix<double> b(15, 2);
  for (std::int64_t i = 0; i < 15; ++i) {
    b(i, 0) = 3.0 * (0.6 * a(i, 0) - 0.8 * a(i, 1)) + 5.0;
    b(i, 1) = 3.0 * (0.8 * a(i, 0) + 0.6 * a(i, 1)) - 2.0;
  }
  const Cka result = cka<double>(CpuStream(1), Source<double>(a), Source<double>(b));
  EXPECT_NEAR(result.value, 1.0, 1e-13);
  EXPECT_NEAR(result.unbiased, 1.0, 1e-13);
}

// Of noise, the plain form grows towards 1 with the number of units; the unbiased one stays at 0.
TEST(Cka, OfNoise) {
  const RandomStream random({.seed = 3});
  Matrix<double> a(20, 2000), b(20, 2000);
  std::uint64_t at = 0;
  for (Matrix<double>* x : {&a, &b}) {
    for (double& value : x->values()) value = random.normal(at++);
  }
  const Cka result = cka<double>(CpuStream(2), Source<double>(a), Source<double>(b));
  EXPECT_GT(result.value, 0.9);
  EXPECT_NEAR(result.unbiased, 0.0, 0.3);  // a correlation over 190 pairs: 4 standard deviations
}

TEST(Cka, IsNotANumberWhereItIsNotDefined) {
  const CpuStream stream(1);
  const Source<double> constant(Matrix<double>(6, 2, std::vector<double>(12, 0.1))),
      other(hashed_matrix("other", 6, 2));
  EXPECT_TRUE(std::isnan(cka(stream, constant, other).value));
  EXPECT_TRUE(std::isnan(cka(stream, constant, other).unbiased));
  const Source<double> three(hashed_matrix("three", 3, 2)), one(hashed_matrix("one", 1, 2));
  EXPECT_FALSE(std::isnan(cka(stream, three, three).value));
  EXPECT_TRUE(std::isnan(cka(stream, three, three).unbiased));
  EXPECT_TRUE(std::isnan(cka(stream, one, one).value));
  EXPECT_THROW(cka(stream, three, other), InputError);
}

}  // namespace
}  // namespace chiasm::test
