// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/dual_newton.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/maps/centred_columns.h"
#include "analysis/maps/small_factor.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr int kMostSteps = 200;
// From this step on, regressors at |c| = rho to a relative kBorder may be on either side: their weights are rounding.
constexpr int kPatience = 6;
constexpr double kBorder = 1e-10;
// Rounds with an old factor end when v moves by less than kFollowed of its length. They are given up, for a new factor,
// where one makes the move less than kContraction smaller.
constexpr double kFollowed = 1e-11, kContraction = 1e-4;
constexpr int kMostFollowing = 6;

// Sums of products z v in single precision err by less than this share of |z| |v|: sqrt(rank) roundings of 6e-8, with
// room for ranks of thousands.
constexpr double kSingle = 4e-6;

double length(const std::vector<double>& v) { return std::sqrt(dot_product(v.data(), v.data(), std::ssize(v))); }

}  // namespace

DualNewton::DualNewton(const RotatedRegressors& regressors) : x_(regressors), m_(regressors.padded_rank()) {
  const auto m = static_cast<std::size_t>(m_), p = static_cast<std::size_t>(x_.padded_regressors());
  for (auto* v : {&inverse_, &v_, &next_v_, &follow_v_, &signed_sum_}) v->assign(m, 0.0);
  for (auto* c : {&c_, &next_c_, &moments_}) c->assign(p, 0.0);
  hessian_.assign(m * m, 0.0);
  factor_.assign(m * m, 0.0);
  sets_.assign(p, 0);
  wanted_.assign(p, 0);
  norms_.assign(p, 1.0);
  for (std::int64_t j = 0; j < x_.regressors(); ++j) {
    const double* z = x_.zt().row(j).data();
    norms_[static_cast<std::size_t>(j)] = std::sqrt(dot_product(z, z, m_));
  }
}

void DualNewton::set_target(std::span<const double> y) {
  y_ = x_.rotated(y);
  for (std::int64_t j = 0; j < x_.regressors(); ++j) {
    moments_[static_cast<std::size_t>(j)] = dot_product(x_.zt().row(j).data(), y_.data(), m_);
  }
  largest_moment_ = 0.0;
  for (const double moment : moments_) largest_moment_ = std::max(largest_moment_, std::abs(moment));
  std::ranges::fill(c_, 0.0);
}

// c = Z'v in single precision, which halves the memory it reads, but for regressors so near to |c| = rho that rounding
// could put them on the wrong side: those in double.
void DualNewton::multiply(const std::vector<double>& v, double rho, std::vector<double>& c) const {
  constexpr int kBlock = RotatedRegressors::kColumnMultiple;
  const std::int64_t p = x_.padded_regressors(), rank = x_.rank();
  const float* z = x_.rounded_z().data();
  const double *from = v.data(), *norms = norms_.data();
  double* to = c.data();
  const double error = kSingle * length(v);
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::int64_t j = 0; j < p; j += kBlock) {
      float sums[kBlock] = {};
      for (std::int64_t k = 0; k < rank; ++k) {
        const float scale = static_cast<float>(from[k]);
        const float* row = z + k * p + j;
        for (int i = 0; i < kBlock; ++i) sums[i] += scale * row[i];
      }
      int near = 0;
      for (int i = 0; i < kBlock; ++i) {
        const double value = static_cast<double>(sums[i]);
        to[j + i] = value;
        near += std::abs(std::abs(value) - rho) <= error * norms[j + i];
      }
      for (std::int64_t i = j; near > 0 && i < std::min(j + kBlock, x_.regressors()); ++i) {
        if (std::abs(std::abs(to[i]) - rho) > error * norms[i]) continue;
        const double* row = x_.zt().data() + i * m_;
        double sum = 0.0;
        for (std::int64_t k = 0; k < m_; ++k) sum += row[k] * from[k];
        to[i] = sum;
      }
    }
  });
}

void DualNewton::sets_of(const std::vector<double>& c, double rho, Sets& sets) const {
  const auto p = static_cast<std::int64_t>(c.size());
  const double* from = c.data();
  std::int64_t* to = sets.data();
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::int64_t j = 0; j < p; ++j) {
      to[j] = static_cast<std::int64_t>(from[j] > rho) - static_cast<std::int64_t>(from[j] < -rho);
    }
  });
}

// hessian += sum over up to four regressors of sign z z'.
void DualNewton::add_product(const std::int64_t* regressors, const double* signs, int count) {
  const double* z[4];
  double sign[4] = {};
  for (int f = 0; f < 4; ++f) {
    z[f] = x_.zt().row(regressors[f < count ? f : 0]).data();
    if (f < count) sign[f] = signs[f];
  }
  double* h = hessian_.data();
  const std::int64_t m = m_;
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::int64_t k = 0; k < m; ++k) {
      const double s0 = sign[0] * z[0][k], s1 = sign[1] * z[1][k], s2 = sign[2] * z[2][k], s3 = sign[3] * z[3][k];
      double* column = h + k * m;
      for (std::int64_t i = k / 4 * 4; i < m; i += 4) {
        for (int e = 0; e < 4; ++e) {
          column[i + e] += s0 * z[0][i + e] + s1 * z[1][i + e] + s2 * z[2][i + e] + s3 * z[3][i + e];
        }
      }
    }
  });
}

// Brings the sums over A to those of `sets`.
void DualNewton::use(const Sets& sets) {
  std::int64_t changed = 0, in_use = 0;
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::size_t j = 0; j < sets.size(); ++j) {
      changed += sets[j] != sets_[j];
      in_use += sets[j] != 0;
    }
  });
  if (changed == 0) return;
  used_changed_ = true;
  ++version_;
  if (changed > in_use) {  // from nothing is less work, and forgets the rounding of what came and went
    std::ranges::fill(hessian_, 0.0);
    std::ranges::fill(signed_sum_, 0.0);
    std::ranges::fill(sets_, 0);
  }
  std::int64_t batch[4];
  double signs[4];
  int count = 0;
  for (std::size_t j = 0; j < sets.size(); ++j) {
    const std::int64_t before = sets_[j], after = sets[j];
    if (before == after) continue;
    const double* z = x_.zt().row(static_cast<std::int64_t>(j)).data();
    for (std::int64_t k = 0; k < m_; ++k)
      signed_sum_[static_cast<std::size_t>(k)] += static_cast<double>(after - before) * z[k];
    sets_[j] = sets[j];
    if ((before != 0) == (after != 0)) continue;
    batch[count] = static_cast<std::int64_t>(j);
    signs[count++] = after != 0 ? 1.0 : -1.0;
    if (count == 4) {
      add_product(batch, signs, count);
      count = 0;
    }
  }
  if (count > 0) add_product(batch, signs, count);
}

bool DualNewton::factor(const Penalties& at) {
  factor_ = hessian_;
  last_ = at;
  for (std::int64_t k = 0; k < m_; ++k) {
    factor_[static_cast<std::size_t>(k * m_ + k)] += k < x_.rank() ? at.q * at.t : 1.0;
  }
  return small_factor(m_, factor_.data(), inverse_.data());
}

// next_v = (q t + sum over A of z z')^-1 (q y + rho sum of sign z).
void DualNewton::solve_linear(const Penalties& at) {
  for (std::size_t k = 0; k < next_v_.size(); ++k) next_v_[k] = at.q * y_[k] + at.rho * signed_sum_[k];
  small_solve(m_, factor_.data(), inverse_.data(), next_v_.data());
}

// The derivative of the function being minimised along the way from v to next_v.
double DualNewton::slope(const Penalties& at, double step) const {
  double sum = 0.0;
  for (std::size_t k = 0; k < v_.size(); ++k) {
    const double move = next_v_[k] - v_[k];
    sum += at.q * (at.t * (v_[k] + step * move) - y_[k]) * move;
  }
  const auto p = static_cast<std::int64_t>(c_.size());
  const double *from = c_.data(), *to = next_c_.data();
  double sums[8] = {};
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::int64_t j = 0; j < p; j += 8) {
      for (int e = 0; e < 8; ++e) {
        const double move = to[j + e] - from[j + e], c = from[j + e] + step * move;
        const double above = c - at.rho, below = c + at.rho;
        sums[e] += ((above > 0.0 ? above : 0.0) + (below < 0.0 ? below : 0.0)) * move;
      }
    }
  });
  for (const double s : sums) sum += s;
  return sum;
}

// Where the full step goes too far, shortens it to the minimum along it. The slope rises, piece by piece straight.
void DualNewton::search(const Penalties& at) {
  double high = slope(at, 1.0);
  if (high <= 0.0) return;
  double low = slope(at, 0.0), from = 0.0, to = 1.0, step = 1.0;
  if (low >= 0.0) return;  // rounding: v is the minimum along this line
  for (int k = 0; k < 60 && to - from > 1e-12 * to; ++k) {
    // The point where a straight slope would be zero, kept off the ends; every third time the middle.
    const double share = k % 3 == 2 ? 0.5 : std::clamp(-low / (high - low), 0.01, 0.99);
    step = from + share * (to - from);
    const double s = slope(at, step);
    if (std::abs(s) < 1e-14 * (std::abs(low) + std::abs(high))) break;
    (s > 0.0 ? high : low) = s;
    (s > 0.0 ? to : from) = step;
  }
  for (std::size_t k = 0; k < v_.size(); ++k) next_v_[k] = v_[k] + step * (next_v_[k] - v_[k]);
  for (std::size_t j = 0; j < c_.size(); ++j) next_c_[j] = c_[j] + step * (next_c_[j] - c_[j]);
}

// From the regressors that `wanted_` guesses. The first step is taken whole: there is no point yet to go back to.
bool DualNewton::minimise(const Penalties& at) {
  for (int step = 0; step < kMostSteps; ++step) {
    use(wanted_);
    if (!factor(at)) return false;
    solve_linear(at);
    multiply(next_v_, at.rho, next_c_);
    ++steps_;
    sets_of(next_c_, at.rho, wanted_);
    bool same = true;
    for (std::size_t j = 0; same && j < sets_.size(); ++j) {
      same =
          sets_[j] == wanted_[j] || (step >= kPatience && std::abs(std::abs(next_c_[j]) - at.rho) <= kBorder * at.rho);
    }
    if (!same && step > 0) {
      search(at);
      sets_of(next_c_, at.rho, wanted_);
    }
    std::swap(v_, next_v_);
    std::swap(c_, next_c_);
    if (same) return true;
  }
  return false;
}

const std::vector<std::int64_t>& DualNewton::used() {
  if (used_changed_) {
    used_.clear();
    for (std::size_t j = 0; j < sets_.size(); ++j) {
      if (sets_[j] != 0) used_.push_back(static_cast<std::int64_t>(j));
    }
    used_changed_ = false;
  }
  return used_;
}

const std::vector<double>& DualNewton::used_weights() {
  used();
  if (weights_known_) return weights_;
  weights_known_ = true;
  weights_.resize(used_.size());
  const Penalties at = followed_;
  const double* from = follow_v_.data();
  const double* z = x_.zt().data();
  const std::int64_t m = m_;
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const double* row = z + used_[i] * m;
      double sums[8] = {};
      std::int64_t k = 0;
      for (; k + 8 <= m; k += 8) {
        for (int e = 0; e < 8; ++e) sums[e] += row[k + e] * from[k + e];
      }
      for (int e = 0; k + e < m; ++e) sums[e] += row[k + e] * from[k + e];
      const double c = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
      weights_[i] = (c - static_cast<double>(sets_[static_cast<std::size_t>(used_[i])]) * at.rho) / at.q;
    }
  });
  return weights_;
}

void DualNewton::find_margin() {
  margin_ = std::numeric_limits<double>::infinity();
  const double rho = last_.rho;
  double least[4] = {margin_, margin_, margin_, margin_};
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::size_t j = 0; j < c_.size(); j += 4) {
      for (std::size_t e = 0; e < 4; ++e) {
        const double distance = std::abs(std::abs(c_[j + e]) - rho) / norms_[j + e];
        least[e] = distance < least[e] ? distance : least[e];
      }
    }
  });
  for (const double value : least) margin_ = std::min(margin_, value);
  margin_ = std::max(0.0, margin_ - kSingle * length(v_));
}

// The last factor is of M, the system is (M + q (t - last t)) v = b: v = M^-1 (b - q (t - last t) v), repeated.
bool DualNewton::iterate(const Penalties& at) {
  const double shift = at.q * (at.t - last_.t);
  double last_move = 0.0;
  for (int round = 0; round < kMostFollowing; ++round) {
    for (std::size_t k = 0; k < next_v_.size(); ++k) {
      next_v_[k] = at.q * y_[k] + at.rho * signed_sum_[k] - shift * follow_v_[k];
    }
    small_solve(m_, factor_.data(), inverse_.data(), next_v_.data());
    double move = 0.0, size = 0.0;
    for (std::size_t k = 0; k < next_v_.size(); ++k) {
      move += (next_v_[k] - follow_v_[k]) * (next_v_[k] - follow_v_[k]);
      size += next_v_[k] * next_v_[k];
    }
    std::swap(follow_v_, next_v_);
    if (move <= kFollowed * kFollowed * size) return true;
    if (round > 0 && move > kContraction * kContraction * last_move) return false;
    last_move = move;
  }
  return false;
}

bool DualNewton::follow(double t) {
  const Penalties at{t, last_.rho, last_.q};
  if (!iterate(at)) {
    if (!factor(at)) return false;
    solve_linear(at);
    std::swap(follow_v_, next_v_);
    ++steps_;
  }
  if (margin_ < 0.0) find_margin();
  double distance = 0.0;
  for (std::size_t k = 0; k < v_.size(); ++k) distance += (follow_v_[k] - v_[k]) * (follow_v_[k] - v_[k]);
  if (!(std::sqrt(distance) < margin_)) {
    multiply(follow_v_, at.rho, next_c_);
    sets_of(next_c_, at.rho, wanted_);
    if (wanted_ != sets_) {
      unchanged_ = false;
      return false;
    }
    v_ = follow_v_;
    std::swap(c_, next_c_);
    margin_ = -1.0;
  }
  followed_ = at;
  weights_known_ = false;
  return true;
}

void DualNewton::guess(const std::vector<double>& c, double rho) {
  sets_of(c, rho, wanted_);
  use(wanted_);
}

void DualNewton::clear() {
  std::ranges::fill(wanted_, 0);
  use(wanted_);
  weights_known_ = false;
}

bool DualNewton::solve(double t, double rho, const std::vector<double>* guess) {
  if (guess != nullptr) {
    sets_of(*guess, rho, wanted_);
  } else {
    wanted_ = sets_;
  }
  const Penalties at{t, rho, 1.0 - rho};
  const Sets before = sets_;
  const bool done = minimise(at);
  unchanged_ = before == sets_;
  margin_ = -1.0;
  follow_v_ = v_;
  followed_ = at;
  weights_known_ = false;
  return done;
}

}  // namespace chiasm
