// SPDX-License-Identifier: Apache-2.0
// Incomplete gamma and beta functions by series and continued fractions (Abramowitz and Stegun 6.5.29 and 6.5.31;
// DiDonato and Morris 1992, ACM Trans. Math. Softw. 18:360). The factors in front of them, powers over gamma functions,
// are computed as Stirling's approximation times what it leaves: logarithms of gamma functions would cancel all but a
// few digits of large degrees of freedom.
#include "analysis/statistics/tails.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kInverseTwoPi = 0.5 * std::numbers::inv_pi;
// Both fractions converge in about the square root of their largest argument; a million terms is far beyond any test.
constexpr int kMostTerms = 1'000'000;

// log(Gamma(a + 1)) less Stirling's 0.5 log(2 pi a) + a log(a) - a.
double stirling_rest(double a) {
  double rest = 0.0;
  for (; a < 15.0; a += 1.0) rest += (a + 0.5) * std::log1p(1.0 / a) - 1.0;
  const double r = 1.0 / (a * a);
  return rest + (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / a;
}

// u - log(1 + u), given 1 + u as well because u may be rounded to -1.
double beyond_log(double u, double one_plus_u) {
  const double v = u / (2.0 + u);
  if (std::abs(v) > 0.25) return u - std::log(one_plus_u);
  // log(1 + u) = 2 atanh(v), of which the first term cancels all but u v of u.
  double power = v * v * v, sum = 0.0;
  for (int k = 3; std::abs(power) > kEpsilon * std::abs(sum); k += 2, power *= v * v) sum += power / k;
  return u * v - 2.0 * sum;
}

// Continued fraction b0 + a1 / (b1 + a2 / (b2 + ...)) by Lentz's method; next(k, a, b) gives the k-th pair from 1 on.
template <class Next>
double continued_fraction(double b0, const Next& next) {
  constexpr double kTiny = 1e-300;  // stands for a zero
  double value = b0 == 0.0 ? kTiny : b0, c = value, d = 0.0;
  for (int k = 1; k <= kMostTerms; ++k) {
    double a = 0.0, b = 0.0;
    next(k, a, b);
    d = b + a * d;
    c = b + a / c;
    if (d == 0.0) d = kTiny;
    if (c == 0.0) c = kTiny;
    d = 1.0 / d;
    value *= c * d;
    if (std::abs(c * d - 1.0) < kEpsilon) break;
  }
  return value;
}

// Q(a, x): P(X > x) for a gamma variable of shape a >= 1/2.
double gamma_upper(double a, double x) {
  const double density = std::exp(-a * beyond_log((x - a) / a, x / a) - stirling_rest(a)) *
                         std::sqrt(kInverseTwoPi / a);  // x^a e^-x / Gamma(a + 1)
  if (x < a + 1.0) {
    double term = 1.0, sum = 1.0;
    for (int k = 1; k <= kMostTerms && term > kEpsilon * sum; ++k) {
      term *= x / (a + k);
      sum += term;
    }
    return 1.0 - density * sum;
  }
  return density * a / continued_fraction(x + 1.0 - a, [&](int k, double& numerator, double& denominator) {
           numerator = -k * (k - a);
           denominator = x + 2.0 * k + 1.0 - a;
         });
}

// I_x(a, b) with y = 1 - x, both exact, for x up to the mean: `below` = a y - b x >= 0.
double beta_lower(double a, double b, double x, double y, double below) {
  const double exponent = -a * beyond_log(-below / a, x * (a + b) / a) - b * beyond_log(below / b, y * (a + b) / b) +
                          stirling_rest(a + b) - stirling_rest(a) - stirling_rest(b);
  const double density = std::exp(exponent) * std::sqrt(kInverseTwoPi * a * b / (a + b));  // x^a y^b / B(a, b)
  const auto denominator_of = [&](double k) {
    const double first = k > 0 ? k + k * (b - k) * x / (a + 2 * k - 1) : 0;  // 0 / 0 for a = 1
    return first + (a + k) * (below + 1 + k * (1 + y)) / (a + 2 * k + 1);
  };
  return density / continued_fraction(denominator_of(0), [&](double k, double& numerator, double& denominator) {
           const double by = a + 2 * k - 1;
           numerator = (a + k - 1) / by * ((a + b + k - 1) / by) * k * (b - k) * x * x;
           denominator = denominator_of(k);
         });
}

}  // namespace

double student_t_two_sided(double t, double degrees) { return f_upper(t * t, 1.0, degrees); }

double chi_square_upper(double x, double degrees) {
  if (std::isnan(x) || !(degrees > 0.0)) return kNaN;
  if (x <= 0.0) return 1.0;
  if (std::isinf(x)) return 0.0;
  return gamma_upper(0.5 * degrees, 0.5 * x);
}

double f_upper(double f, double numerator, double denominator) {
  if (std::isnan(f) || !(numerator > 0.0) || !(denominator > 0.0)) return kNaN;
  if (f <= 0.0) return 1.0;
  if (std::isinf(f)) return 0.0;
  const double from_numerator = numerator * f, sum = denominator + from_numerator;
  const double a = 0.5 * denominator, b = 0.5 * numerator, x = denominator / sum, y = from_numerator / sum;
  const double below = a * y - b * x;  // (a + b) times the distance of x to the mean
  return below >= 0.0 ? beta_lower(a, b, x, y, below) : 1.0 - beta_lower(b, a, y, x, -below);
}

}  // namespace chiasm
