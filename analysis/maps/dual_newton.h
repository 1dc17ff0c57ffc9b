// SPDX-License-Identifier: Apache-2.0
// Exact elastic nets of one target at many penalties.
//
// With t = n alpha, q = 1 - rho and the residual t v, the minimum of 1/2 |y - X b|^2 + t rho |b|_1 + t q/2 |b|^2 is
// where
//     q t v + X S(X'v, rho) = q y,      b = S(X'v, rho) / q,      S(c, rho) = sign(c) max(|c| - rho, 0),
//
// the gradient of a strictly convex, piecewise quadratic function of v: its Newton step solves a linear system of as
// many unknowns as X has rows, with the regressors in use A = {j : |c_j| > rho}, and is the solution once A repeats.
// From a neighbouring penalty that takes about one step. (The semismooth Newton method of Li, Sun and Toh 2018, SIAM J.
// Optim. 28:433, in the dual, with exact line searches where a step goes too far.)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/rotated_regressors.h"

namespace chiasm {

class DualNewton {
 public:
  explicit DualNewton(const RotatedRegressors& regressors);

  void set_target(std::span<const double> y);  // centred, [rows]
  // max |X'y|: for t rho at or above it all weights are zero.
  double largest_moment() const { return largest_moment_; }
  const std::vector<double>& moments() const { return moments_; }  // X'y, padded

  // The regressors with |c_j| > rho start the next solve() that is given no guess.
  void guess(const std::vector<double>& c, double rho);
  void clear();  // no regressor in use

  // The minimum at t > 0 and 0 <= rho < 1, t rho < largest_moment(). `guess` [padded regressors] is a guess of X'v;
  // null: the regressors in use stay. Returns false where it did not come to an end; weights() are the best found even
  // then.
  bool solve(double t, double rho, const std::vector<double>* guess = nullptr);

  // The minimum at another t and the ratio of the last solve(), where the regressors in use stay the same and t is so
  // small that the last linear system is nearly the present one: a fraction of the work. Returns false, with nothing
  // changed, where that is not so.
  bool follow(double t);
  // Whether the last solve() ended with the regressors in use at its start.
  bool unchanged() const { return unchanged_; }

  // X'v of the solution, [padded regressors], to single precision; after follow(), of one before it.
  const std::vector<double>& correlations() const { return c_; }
  // Those in use, ascending, and their weights b.
  const std::vector<std::int64_t>& used();
  const std::vector<double>& used_weights();
  // The same as b_j = (z_j v - sign_j rho) / (1 - rho): v [padded rank], and by regressor the sign of its weight or 0.
  const std::vector<double>& v() const { return follow_v_; }
  const std::vector<std::int64_t>& signs() const { return sets_; }
  std::int64_t version() const { return version_; }  // of signs(): another number for other signs

  std::int64_t steps() const { return steps_; }  // Newton steps so far

 private:
  struct Penalties {
    double t, rho, q;
  };
  bool minimise(const Penalties& at);
  bool factor(const Penalties& at);
  void solve_linear(const Penalties& at);
  using Sets = std::vector<std::int64_t>;  // -1, 0, 1 by regressor: sign where in use. As wide as what it is made from
  void sets_of(const std::vector<double>& c, double rho, Sets& sets) const;
  void use(const Sets& sets);
  void add_product(const std::int64_t* regressors, const double* signs, int count);
  void multiply(const std::vector<double>& v, double rho, std::vector<double>& c) const;
  double slope(const Penalties& at, double step) const;
  void search(const Penalties& at);
  void find_margin();
  bool iterate(const Penalties& at);

  const RotatedRegressors& x_;
  std::int64_t m_;  // padded rank
  std::vector<double> y_, moments_;
  double largest_moment_ = 0.0;
  Sets sets_, wanted_;
  std::vector<double> hessian_, signed_sum_;  // sum over A of z z', lower triangle by columns, and of sign z
  std::vector<double> factor_, inverse_;
  std::vector<double> v_, c_, next_v_, next_c_, follow_v_;  // follow_v_: the solution of follow()
  std::vector<std::int64_t> used_;
  std::vector<double> weights_;
  Penalties last_{0.0, 0.0, 0.0};  // of factor_
  bool unchanged_ = false, used_changed_ = true;
  std::vector<double> norms_;  // |z| by regressor
  double margin_ = -1.0;       // no regressor comes into or out of use while v is this near to v_; < 0: not known
  Penalties followed_{0.0, 0.0, 0.0};  // of follow_v_
  bool weights_known_ = false;
  std::int64_t version_ = 0;
  std::int64_t steps_ = 0;
};

}  // namespace chiasm
