// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/lasso_homotopy.h"

#include <algorithm>
#include <cmath>

#include "analysis/maps/centred_columns.h"
#include "analysis/maps/small_factor.h"
#include "kernels/simd.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

// A regressor depends on others when less than this share of its square is left.
constexpr double kDependent = 1e-11;
// Knots above the present penalty by less than this are the same knot, rounded.
constexpr double kSameKnot = 1e-9;
constexpr int kMostKnotsPerRegressor = 50;

}  // namespace

LassoHomotopy::LassoHomotopy(const RotatedRegressors& regressors) : x_(regressors) {}

void LassoHomotopy::start(const std::vector<double>& y, const std::vector<double>& moments, double l2) {
  y_ = y;
  l2_ = l2;
  used_.clear();
  weights_.clear();
  signs_.clear();
  base_.clear();
  slope_.clear();
  const auto p = static_cast<std::size_t>(x_.regressors());
  in_use_.assign(p, 0);
  refused_.assign(p, 0);
  fixed_.assign(p, 0.0);
  moving_.assign(p, 0.0);
  knots_ = 0;
  last_ = next_ = {};
  for (std::int64_t j = 0; j < x_.regressors(); ++j) {
    const double moment = moments[static_cast<std::size_t>(j)];
    if (std::abs(moment) > next_.l1) next_ = {std::abs(moment), j, true, std::copysign(1.0, moment)};
  }
  l1_ = next_.l1;
}

// Of the products of the regressors in use, and l2.
bool LassoHomotopy::factor() {
  const auto side = static_cast<std::int64_t>(used_.size()), padded = padded_to_four(side), m = x_.padded_rank();
  std::vector<double> rows;
  for (const std::int64_t j : used_) rows.insert(rows.end(), x_.zt().row(j).begin(), x_.zt().row(j).end());
  factor_.assign(static_cast<std::size_t>(padded * padded), 0.0);
  inverse_.assign(static_cast<std::size_t>(padded), 0.0);
  gemm(CpuStream(1), side, side, m, {rows.data(), m}, {rows.data(), m, true}, 0.0, factor_.data(), padded);
  std::vector<double> squares;
  for (std::int64_t k = 0; k < padded; ++k) {
    double& diagonal = factor_[static_cast<std::size_t>(k * padded + k)];
    squares.push_back(diagonal);
    diagonal += k < side ? l2_ : 1.0;
  }
  if (!small_factor(padded, factor_.data(), inverse_.data())) return false;
  for (std::size_t k = 0; k < used_.size(); ++k) {
    if (1.0 / inverse_[k] < kDependent * squares[k]) return false;
  }
  return true;
}

// Weights and correlations as functions of l1 until the next knot.
void LassoHomotopy::straighten() {
  const std::size_t side = used_.size();
  base_.assign(inverse_.size(), 0.0);
  slope_.assign(inverse_.size(), 0.0);
  for (std::size_t i = 0; i < side; ++i) {
    base_[i] = dot_product(x_.zt().row(used_[i]).data(), y_.data(), x_.padded_rank());
    slope_[i] = signs_[i];
  }
  small_solve(std::ssize(inverse_), factor_.data(), inverse_.data(), base_.data());
  small_solve(std::ssize(inverse_), factor_.data(), inverse_.data(), slope_.data());
  // Residual = (y - X base) + l1 X slope.
  std::vector<double> rest = y_, move(y_.size(), 0.0);
  for (std::size_t i = 0; i < side; ++i) {
    const double* z = x_.zt().row(used_[i]).data();
    for (std::size_t k = 0; k < rest.size(); ++k) {
      rest[k] -= base_[i] * z[k];
      move[k] += slope_[i] * z[k];
    }
  }
  const std::int64_t p = x_.regressors(), width = x_.padded_regressors();
  std::ranges::fill(fixed_, 0.0);
  std::ranges::fill(moving_, 0.0);
  for (std::int64_t k = 0; k < x_.rank(); ++k) {
    const double* row = x_.z().data() + k * width;
    const double a = rest[static_cast<std::size_t>(k)], b = move[static_cast<std::size_t>(k)];
    double *fixed = fixed_.data(), *moving = moving_.data();
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t j = 0; j < p; ++j) {
        fixed[j] += a * row[j];
        moving[j] += b * row[j];
      }
    });
  }
}

LassoHomotopy::Knot LassoHomotopy::next_knot() const {
  Knot next;
  const auto consider = [&](double l1, std::int64_t regressor, bool joins, double sign) {
    // A regressor that has just come or gone is at its knot already.
    if (regressor == last_.regressor && joins != last_.joins && sign == last_.sign) return;
    if (!(l1 > next.l1) || l1 > l1_ * (1.0 + kSameKnot)) return;
    next = {std::min(l1, l1_), regressor, joins, sign};
  };
  for (std::size_t i = 0; i < used_.size(); ++i) consider(base_[i] / slope_[i], used_[i], false, signs_[i]);
  for (std::size_t j = 0; j < in_use_.size(); ++j) {
    if (in_use_[j] || refused_[j]) continue;
    consider(fixed_[j] / (1.0 - moving_[j]), static_cast<std::int64_t>(j), true, 1.0);
    consider(-fixed_[j] / (1.0 + moving_[j]), static_cast<std::int64_t>(j), true, -1.0);
  }
  return next;
}

bool LassoHomotopy::pass_knot() {
  const Knot knot = next_;
  const auto regressor = static_cast<std::size_t>(knot.regressor);
  l1_ = knot.l1;
  if (knot.joins) {
    used_.push_back(knot.regressor);
    signs_.push_back(knot.sign);
  } else {
    const auto at = std::ranges::find(used_, knot.regressor) - used_.begin();
    used_.erase(used_.begin() + at);
    signs_.erase(signs_.begin() + at);
    std::ranges::fill(refused_, 0);
  }
  in_use_[regressor] = knot.joins;
  if (!factor()) {
    if (!knot.joins) return false;
    used_.pop_back();
    signs_.pop_back();
    in_use_[regressor] = 0;
    refused_[regressor] = 1;
    if (!factor()) return false;
  } else {
    last_ = knot;
  }
  straighten();
  next_ = next_knot();
  return true;
}

bool LassoHomotopy::move_to(double l1) {
  const int most = kMostKnotsPerRegressor * static_cast<int>(x_.rank() + 1);
  bool arrived = true;
  while (arrived && l1 < next_.l1) arrived = ++knots_ <= most && pass_knot();
  if (arrived) l1_ = l1;
  weights_.resize(used_.size());
  for (std::size_t i = 0; i < used_.size(); ++i) weights_[i] = base_[i] - l1_ * slope_[i];
  return arrived;
}

}  // namespace chiasm
