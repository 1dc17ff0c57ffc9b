// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/normal.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace chiasm {
namespace {

// 1/sqrt(2) in two pieces: erfc magnifies a relative error of its argument x by 2 x^2, so that the rounded product
// alone would cost 3 digits at the far end.
constexpr double kRootHalf = 0.5 * std::numbers::sqrt2;
constexpr double kRootHalfRest = -4.8336466567264567e-17;

double density(double x) { return std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi * kRootHalf; }

// x with P(Z <= x) = p for p < 1/4, by Halley's rule on a start that is right to 5e-4 (the asymptotic ratio of
// Abramowitz and Stegun 26.2.23).
double lower_tail_quantile(double p) {
  const double t = std::sqrt(-2.0 * std::log(p));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (int round = 0; round < 3; ++round) {
    const double newton = (normal_cdf(x) - p) / density(x);
    x -= newton / (1.0 + 0.5 * x * newton);
  }
  return x;
}

// x with P(0 <= Z <= x) = p for |p| <= 1/4.
double middle_quantile(double p) {
  double x = p / density(0.0);
  for (int round = 0; round < 5; ++round) {
    const double newton = (0.5 * std::erf(x * kRootHalf) - p) / density(x);
    x -= newton / (1.0 + 0.5 * x * newton);
  }
  return x;
}

}  // namespace

double normal_cdf(double x) {
  const double y = -x * kRootHalf;
  if (!(std::abs(x) < 40.0)) return 0.5 * std::erfc(y);  // 0, 1 or NaN
  const double rest = std::fma(-x, kRootHalf, -y) - x * kRootHalfRest;
  return 0.5 * std::erfc(y) - std::exp(-y * y) * std::numbers::inv_sqrtpi * rest;
}

double normal_quantile(double p) {
  if (!(p >= 0.0 && p <= 1.0)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0.0) return -std::numeric_limits<double>::infinity();
  if (p == 1.0) return std::numeric_limits<double>::infinity();
  if (p < 0.25) return lower_tail_quantile(p);
  if (p > 0.75) return -lower_tail_quantile(1.0 - p);  // the difference is exact
  return middle_quantile(p - 0.5);
}

}  // namespace chiasm
