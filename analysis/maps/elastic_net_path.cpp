// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/elastic_net_path.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "analysis/maps/centred_columns.h"
#include "analysis/maps/elastic_net_solver.h"
#include "analysis/maps/small_factor.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// With unchanged signs the weights are a smooth function of alpha, with a limit at 0. Where the score no longer changes
// by more than rounding at several alphas in a row, each a share of the one before, it is that of the limit.
constexpr double kSettled = 1e-12;
constexpr int kSettledSteps = 3;

constexpr int kScoredRows = 16;  // held-out rows whose sums are in registers

// The order that sorts `values`.
template <class Compare>
std::vector<std::int64_t> sorting(std::span<const double> values, Compare compare) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, compare, [&](std::int64_t i) { return values[static_cast<std::size_t>(i)]; });
  return order;
}

// X'v at one alpha for the last two ratios, of which the next one's is extrapolated. Single precision is enough for a
// guess.
class History {
 public:
  enum Kind { kNothing, kNull, kKnown };  // kNull: all weights are zero, so that X'v is X'y / t

  void push(Kind kind) {
    std::swap(last_, before_);
    last_.kind = kind;
  }
  void push(const std::vector<double>& c) {
    push(kKnown);
    last_.c.resize(c.size());
    const double* from = c.data();
    float* to = last_.c.data();
    with_widest_isa([&, n = c.size()]() CHIASM_INLINE_LAMBDA {
      for (std::size_t j = 0; j < n; ++j) to[j] = static_cast<float>(from[j]);
    });
  }

  bool complete() const { return last_.kind != kNothing && before_.kind != kNothing; }
  // REQUIRES: complete().
  void extrapolate(const std::vector<double>& moments, double t, std::vector<double>& guess) {
    last_.know(moments, t);
    before_.know(moments, t);
    const float *last = last_.c.data(), *before = before_.c.data();
    double* to = guess.data();
    with_widest_isa([&, n = guess.size()]() CHIASM_INLINE_LAMBDA {
      for (std::size_t j = 0; j < n; ++j) to[j] = static_cast<double>(2.0f * last[j] - before[j]);
    });
  }

 private:
  struct Entry {
    Kind kind = kNothing;
    std::vector<float> c;

    void know(const std::vector<double>& moments, double t) {
      if (kind != kNull) return;
      c.resize(moments.size());
      std::ranges::transform(moments, c.begin(), [&](double m) { return static_cast<float>(m / t); });
      kind = kKnown;
    }
  };
  Entry last_, before_;
};

// Predictions of the held-out rows and their correlation with the target.
class Scorer {
 public:
  Scorer(const Matrix<double>& held_out, std::int64_t rows, std::span<const double> y)
      : x_(held_out), rows_(rows), y_(static_cast<std::size_t>(held_out.columns())), prediction_(y_.size()) {
    const double mean = std::accumulate(y.begin(), y.end(), 0.0) / static_cast<double>(std::max<std::int64_t>(rows, 1));
    for (std::size_t i = 0; i < y.size(); ++i) y_[i] = y[i] - mean;
    squares_ = dot_product(y_.data(), y_.data(), rows);
    varies_ = rows > 1 && std::ranges::any_of(y, [&](double v) { return v != y[0]; });
  }
  bool varies() const { return varies_; }

  double score(const std::vector<std::int64_t>& used, const std::vector<double>& weights) {
    double* prediction = prediction_.data();
    const std::int64_t width = x_.columns();
    const double* x = x_.data();
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t i = 0; i < width; i += kScoredRows) {
        double sums[kScoredRows] = {};
        for (std::size_t k = 0; k < used.size(); ++k) {
          const double* row = x + used[k] * width + i;
          const double weight = weights[k];
          for (int e = 0; e < kScoredRows; ++e) sums[e] += weight * row[e];
        }
        for (int e = 0; e < kScoredRows; ++e) prediction[i + e] = sums[e];
      }
    });
    return correlation();
  }

  // The same up to the scale of all weights, where the regressors in use change seldom: sums over them are kept as a
  // matrix, x_used z_used', of which follows a prediction for any v.
  double score(const DualNewton& newton, const Matrix<double>& zt, double rho) {
    bring_up(newton, zt);
    const std::int64_t width = x_.columns(), rank = zt.columns();
    const double *v = newton.v().data(), *sums = map_.data(), *shift = shift_.data();
    double* prediction = prediction_.data();
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t i = 0; i < width; i += kScoredRows) {
        double row[kScoredRows];
        for (int e = 0; e < kScoredRows; ++e) row[e] = -rho * shift[i + e];
        for (std::int64_t k = 0; k < rank; ++k) {
          for (int e = 0; e < kScoredRows; ++e) row[e] += v[k] * sums[k * width + i + e];
        }
        for (int e = 0; e < kScoredRows; ++e) prediction[i + e] = row[e];
      }
    });
    return correlation();
  }

 private:
  void bring_up(const DualNewton& newton, const Matrix<double>& zt) {
    if (newton.version() == version_) return;
    version_ = newton.version();
    const std::vector<std::int64_t>& signs = newton.signs();
    const std::int64_t width = x_.columns(), rank = zt.columns();
    std::int64_t changed = 0, used = 0;
    signs_.resize(signs.size());
    for (std::size_t j = 0; j < signs.size(); ++j) {
      changed += (signs[j] != 0) != (signs_[j] != 0);
      used += signs[j] != 0;
    }
    if (map_.empty() || changed > used) {  // forgets the rounding of what came and went
      map_.assign(static_cast<std::size_t>(width * rank), 0.0);
      shift_.assign(static_cast<std::size_t>(width), 0.0);
      signs_.assign(signs.size(), 0);
    }
    for (std::size_t j = 0; j < signs.size(); ++j) {
      const auto by = static_cast<double>((signs[j] != 0) - (signs_[j] != 0));
      const auto turn = static_cast<double>(signs[j] - signs_[j]);
      if (turn == 0.0) continue;
      const double *x = x_.row(static_cast<std::int64_t>(j)).data(), *z = zt.row(static_cast<std::int64_t>(j)).data();
      double *sums = map_.data(), *shift = shift_.data();
      with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
        for (std::int64_t i = 0; i < width; ++i) shift[i] += turn * x[i];
        for (std::int64_t k = 0; by != 0.0 && k < rank; ++k) {
          const double scale = by * z[k];
          for (std::int64_t i = 0; i < width; ++i) sums[k * width + i] += scale * x[i];
        }
      });
    }
    signs_ = signs;
  }

  double correlation() const {
    const double* prediction = prediction_.data();
    const double mean =
        std::accumulate(prediction, prediction + rows_, 0.0) / static_cast<double>(std::max<std::int64_t>(rows_, 1));
    double squares = 0.0, product = 0.0;
    bool varies = false;
    for (std::int64_t i = 0; i < rows_; ++i) {
      const double d = prediction[i] - mean;
      squares += d * d;
      product += d * y_[static_cast<std::size_t>(i)];
      varies |= prediction[i] != prediction[0];
    }
    if (!varies_ || !varies) return kNaN;
    return std::clamp(product / (std::sqrt(squares) * std::sqrt(squares_)), -1.0, 1.0);
  }

  const Matrix<double>& x_;
  std::int64_t rows_;
  std::vector<double> y_, prediction_;
  std::vector<double> map_, shift_;  // [padded rank, padded rows] and, by row, sum of sign x
  std::vector<std::int64_t> signs_;  // that they are made of
  std::int64_t version_ = -1;
  double squares_ = 0.0;
  bool varies_ = false;
};

}  // namespace

template <class T>
ElasticNetPaths::ElasticNetPaths(const Matrix<T>& train, const Matrix<T>& held_out, std::span<const double> alphas,
                                 double scale, std::span<const double> l1_ratios)
    : regressors_(centred_columns(train.view()).rows),
      held_out_(train.columns(), (held_out.rows() + kScoredRows - 1) / kScoredRows * kScoredRows),
      held_out_rows_(held_out.rows()),
      alpha_of_(sorting(alphas, std::greater<>())),
      ratio_of_(sorting(l1_ratios, std::less<>())) {
  const std::vector<double> mean = centred_columns(train.view()).mean;
  for (std::int64_t i = 0; i < held_out.rows(); ++i) {
    for (std::int64_t j = 0; j < held_out.columns(); ++j) {
      held_out_(j, i) = static_cast<double>(held_out(i, j)) - mean[static_cast<std::size_t>(j)];
    }
  }
  for (const std::int64_t a : alpha_of_) t_.push_back(scale * alphas[static_cast<std::size_t>(a)]);
  for (const std::int64_t i : ratio_of_) ratios_.push_back(l1_ratios[static_cast<std::size_t>(i)]);
}

std::int64_t ElasticNetPaths::scores(std::span<const double> train, std::span<const double> held_out,
                                     std::span<double> r) const {
  std::ranges::fill(r, kNaN);
  Scorer scorer(held_out_, held_out_rows_, held_out);
  std::vector<double> y(train.begin(), train.end());
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / static_cast<double>(y.size());
  if (!scorer.varies() || std::ranges::all_of(y, [&](double v) { return v == y[0]; })) return 0;
  for (double& v : y) v -= mean;

  DualNewton newton(regressors_);
  newton.set_target(y);
  const std::vector<double>& moments = newton.moments();
  const std::size_t width = moments.size(), alphas = t_.size();
  std::vector<History> history(alphas);
  // X'v at the last two alphas of this ratio.
  std::vector<double> last(width), before(width), guess(width);
  std::int64_t failed = 0;
  for (std::size_t k = 0; k < ratios_.size(); ++k) {
    const double rho = ratios_[k];
    const auto result_of = [&](std::size_t a) -> double& {
      return r[static_cast<std::size_t>(alpha_of_[a] * std::ssize(ratios_) + ratio_of_[k])];
    };
    if (rho >= ElasticNetSolver::kLasso) {
      LassoHomotopy homotopy(regressors_);
      const std::vector<double> rotated = regressors_.rotated(y);
      for (std::size_t a = 0; a < alphas; ++a) {
        if (t_[a] * rho >= newton.largest_moment()) continue;
        // Along falling alphas the l2 term of anything but the lasso falls too: a path of its own for each.
        if (a == 0 || rho < 1.0 || t_[a - 1] * rho >= newton.largest_moment()) {
          homotopy.start(rotated, moments, t_[a] * (1.0 - rho));
        }
        failed += homotopy.move_to(t_[a] * rho) ? 0 : 1;
        result_of(a) = scorer.score(homotopy.used(), homotopy.used_weights());
      }
      continue;
    }
    int along = 0;    // how many alphas of this ratio have been solved
    int settled = 0;  // at how many in a row the score has hardly changed
    double latest = kNaN;
    for (std::size_t a = 0; a < alphas; ++a) {
      const double t = t_[a];
      History& past = history[a];
      if (t * rho >= newton.largest_moment()) {
        past.push(History::kNull);
        continue;
      }
      double& result = result_of(a);
      if (along > 0 && newton.unchanged() && newton.follow(t)) {
        past.push(History::kNothing);
        result = scorer.score(newton, regressors_.zt(), rho);
        settled = std::abs(result - latest) <= kSettled ? settled + 1 : 0;
        latest = result;
        if (settled < kSettledSteps) continue;
        for (++a; a < alphas; ++a) {
          history[a].push(History::kNothing);
          result_of(a) = result;
        }
        break;
      }
      settled = 0;
      if (past.complete()) {
        past.extrapolate(moments, t, guess);
      } else if (along == 0) {
        for (std::size_t j = 0; j < width; ++j) guess[j] = moments[j] / t;
      } else if (along == 1) {
        guess = last;
      } else {
        for (std::size_t j = 0; j < width; ++j) guess[j] = 2.0 * last[j] - before[j];
      }
      failed += newton.solve(t, rho, &guess) ? 0 : 1;
      std::swap(before, last);
      last = newton.correlations();
      ++along;
      past.push(last);
      result = scorer.score(newton.used(), newton.used_weights());
    }
  }
  return failed;
}

template ElasticNetPaths::ElasticNetPaths(const Matrix<float>&, const Matrix<float>&, std::span<const double>, double,
                                          std::span<const double>);
template ElasticNetPaths::ElasticNetPaths(const Matrix<double>&, const Matrix<double>&, std::span<const double>, double,
                                          std::span<const double>);

}  // namespace chiasm
