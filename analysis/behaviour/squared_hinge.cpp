// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/squared_hinge.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>

#include "analysis/behaviour/dense.h"
#include "analysis/behaviour/subset_solver.h"
#include "kernels/error.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

using namespace dense;

// Rows that are beyond the hinge by no more than this, of the largest value, may be on either side of it.
constexpr double kRounding = 1e-12;
// Of the margins of a solution by the inverse, which are 1.
constexpr double kResidual = 1e-9;
// Of the largest |row|^2: a smaller 1 / 2C does not make dependent rows independent to the accuracy of margins.
constexpr double kLeastRidge = 1e-6;
// Of the largest: variances that are rounding of inner products.
constexpr double kLeastDirection = 1e-13;
// Exchanges of all wrong rows that may fail to make them fewer, before only one row is exchanged at a time.
constexpr int kPatience = 5;
// Of exchanges before steps are searched for their lowest point. Most fits take 2 to 12.
constexpr int kFewSteps = 60;
// Far above what is needed, so that a fit that does not end is found and counted.
constexpr int kMostSteps = 1000;

std::vector<std::int64_t> indices_of(const std::vector<bool>& set, bool value) {
  std::vector<std::int64_t> list;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set[i] == value) list.push_back(static_cast<std::int64_t>(i));
  }
  return list;
}

double largest_size(std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

void require_c(double c) {
  if (!(c > 0.0 && std::isfinite(c))) {
    throw InputError("a support vector machine with C = " + std::to_string(c) + ": allowed are positive numbers");
  }
}

class GramProblem final : public HingeProblem {
 public:
  GramProblem(MatrixView<double> gram, double c)
      : HingeProblem(c), gram_(gram), ridge_(0.5 / c), inverse_(gram.rows, gram.rows) {
    assert(gram.rows == gram.columns);
    for (std::int64_t i = 0; i < gram.rows; ++i) {
      std::ranges::copy(gram.row(i), inverse_.row(i).begin());
      inverse_(i, i) += ridge_;
    }
    invert_positive(inverse_);
    inverse_solves_ = inverse_solves();
  }

  // Whether rows depend on each other, so that only I / 2C keeps M from being singular, and it is too small to do so
  // accurately: 1 - y_i f_i is then lost in beta.
  bool is_degenerate() const {
    double largest = 0.0, dominated = 0.0;  // the second: sum over eigenvalues k of K of (1 / 2C) / (k + 1 / 2C)
    for (std::int64_t i = 0; i < gram_.rows; ++i) {
      largest = std::max(largest, gram_(i, i));
      dominated += ridge_ * inverse_(i, i);
    }
    return !(dominated < 0.5) && ridge_ < kLeastRidge * largest;
  }

  std::unique_ptr<Labelled> label(std::vector<double> y) const override {
    return std::make_unique<LabelledGram>(*this, std::move(y));
  }

 private:
  // With M = K + I / 2C and P its inverse: beta is zero outside the active set S, and (M beta)_S = y_S.
  class LabelledGram final : public Labelled {
   public:
    LabelledGram(const GramProblem& problem, std::vector<double> y)
        : problem_(problem),
          y_(std::move(y)),
          all_active_(y_.size()),
          active_solver_(problem.gram_, problem.ridge_),
          others_solver_(problem.inverse_, 0.0) {
      add_rows(problem_.inverse_, {}, y_, all_active_);
    }

    void ridge(const std::vector<bool>& active, HingeSolution& solution, std::vector<bool>& wrong) override {
      const std::vector<std::int64_t> in = indices_of(active, true), out = indices_of(active, false);
      if (problem_.inverse_solves_ && in.size() > out.size()) {
        by_others(out, solution);
      } else {
        by_active(in, solution);
      }
      find_wrong(active, solution, wrong);
    }

    double product(std::span<const double> a, std::span<const double>,
                   std::span<const double> decision) const override {
      return dot(a, decision);
    }

   private:
    void find_wrong(const std::vector<bool>& active, const HingeSolution& solution, std::vector<bool>& wrong) const {
      const std::vector<double>&beta = solution.coefficients, &f = solution.decision;
      const double beta_tolerance = kRounding * largest_size(beta);
      const double f_tolerance = kRounding * std::max(1.0, largest_size(f));
      wrong.resize(y_.size());
      for (std::size_t i = 0; i < y_.size(); ++i) {
        // y f = 1 - y beta / 2C inside S: the sign of beta is exact where the difference from 1 is not.
        wrong[i] = active[i] ? y_[i] * beta[i] < -beta_tolerance : y_[i] * f[i] - 1.0 < -f_tolerance;
      }
    }
    // beta_S = M_SS^-1 y_S, f = K_.S beta_S.
    void by_active(const std::vector<std::int64_t>& in, HingeSolution& solution) {
      const std::vector<double> beta = active_solver_.solve(in, y_);
      solution.coefficients.assign(y_.size(), 0.0);
      put(beta, in, solution.coefficients);
      solution.decision.assign(y_.size(), 0.0);
      add_rows(problem_.gram_, in, beta, solution.decision);
    }
    // M beta = y + d with d zero inside S: beta = P y + P_.R d, and beta_R = 0 gives P_RR d = -(P y)_R.
    // f = M beta - beta / 2C.
    void by_others(const std::vector<std::int64_t>& out, HingeSolution& solution) {
      std::vector<double>& beta = solution.coefficients;
      beta = all_active_;
      std::vector<double> d = others_solver_.solve(out, all_active_);
      for (double& value : d) value = -value;
      add_rows(problem_.inverse_, out, d, beta);
      for (const std::int64_t i : out) beta[static_cast<std::size_t>(i)] = 0.0;
      solution.decision.resize(y_.size());
      for (std::size_t i = 0; i < y_.size(); ++i) solution.decision[i] = y_[i] - problem_.ridge_ * beta[i];
      for (std::size_t k = 0; k < out.size(); ++k) solution.decision[static_cast<std::size_t>(out[k])] += d[k];
    }

    const GramProblem& problem_;
    std::vector<double> y_;
    std::vector<double> all_active_;  // P y
    SubsetSolver active_solver_, others_solver_;
  };

  // An inverse of a badly conditioned matrix solves worse than a factor does. Seen on labels that alternate.
  bool inverse_solves() const {
    const auto n = static_cast<std::size_t>(gram_.rows);
    std::vector<double> y(n), beta(n), back(n);
    for (std::size_t i = 0; i < n; ++i) y[i] = i % 2 == 0 ? 1.0 : -1.0;
    add_rows(inverse_, {}, y, beta);
    add_rows(gram_, {}, beta, back);
    for (std::size_t i = 0; i < n; ++i) {
      if (!(std::fabs(back[i] + ridge_ * beta[i] - y[i]) < kResidual)) return false;
    }
    return true;
  }

  MatrixView<double> gram_;
  double ridge_;  // 1 / 2C
  Matrix<double> inverse_;
  bool inverse_solves_;
};

class RowProblem final : public HingeProblem {
 public:
  RowProblem(const HingeRows& rows, double c) : HingeProblem(c), rows_(rows), ridge_(0.5 / c) {}

  std::unique_ptr<Labelled> label(std::vector<double> y) const override {
    return std::make_unique<LabelledRows>(*this, std::move(y));
  }

 private:
  class LabelledRows final : public Labelled {
   public:
    LabelledRows(const RowProblem& problem, std::vector<double> y) : problem_(problem), y_(std::move(y)) {}

    void ridge(const std::vector<bool>& active, HingeSolution& solution, std::vector<bool>& wrong) override {
      const MatrixView<double> rows = problem_.rows_.rows;
      const std::vector<std::int64_t> in = indices_of(active, true), out = indices_of(active, false);
      if (std::ssize(in) < rows.columns) {
        by_rows(in, solution.coefficients);
      } else {
        by_features(in, out, solution.coefficients);
      }
      solution.decision.resize(y_.size());
      double largest = 1.0;
      for (std::size_t i = 0; i < y_.size(); ++i) {
        solution.decision[i] = dot(rows.row(static_cast<std::int64_t>(i)), solution.coefficients);
        largest = std::max(largest, std::fabs(solution.decision[i]));
      }
      wrong.resize(y_.size());
      for (std::size_t i = 0; i < y_.size(); ++i) {
        const double beyond = y_[i] * solution.decision[i] - 1.0;
        wrong[i] = (active[i] ? beyond : -beyond) > kRounding * largest;
      }
    }

    double product(std::span<const double> a, std::span<const double> b, std::span<const double>) const override {
      return dot(a, b);
    }

   private:
    // w = X_S' (X_S X_S' + I / 2C)^-1 y_S.
    void by_rows(const std::vector<std::int64_t>& in, std::vector<double>& w) const {
      const Matrix<double> x = take_rows(problem_.rows_.rows, std::span<const std::int64_t>(in));
      std::vector<double> beta = take(y_, in), matrix(in.size() * in.size());
      add_products(x, true, matrix);
      add_ridge(matrix, in.size());
      solve_positive(matrix, beta);
      w.assign(static_cast<std::size_t>(x.columns()), 0.0);
      add_rows(x, {}, beta, w);
    }
    // (X_S' X_S + I / 2C) w = X_S' y_S, with X_S' X_S = X'X - X_R' X_R where the rest R is smaller.
    void by_features(const std::vector<std::int64_t>& in, const std::vector<std::int64_t>& out,
                     std::vector<double>& w) const {
      const MatrixView<double> rows = problem_.rows_.rows;
      const bool downdate = out.size() < in.size();
      const auto features = static_cast<std::size_t>(rows.columns);
      std::vector<double> matrix(features * features);
      add_products(take_rows(rows, std::span<const std::int64_t>(downdate ? out : in)), false, matrix);
      if (downdate) {
        const std::span<const double> all = problem_.rows_.products.values();
        for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = all[i] - matrix[i];
      }
      add_ridge(matrix, features);
      w.assign(features, 0.0);
      add_rows(rows, in, take(y_, in), w);
      solve_positive(matrix, w);
    }
    void add_ridge(std::vector<double>& matrix, std::size_t side) const {
      for (std::size_t i = 0; i < side; ++i) matrix[i * side + i] += problem_.ridge_;
    }

    const RowProblem& problem_;
    std::vector<double> y_;
  };

  const HingeRows& rows_;
  double ridge_;
};

// Rows that depend on each other, from their products K = V L V': through their coordinates V L^1/2 in the directions
// in which they vary, with beta = V L^-1/2 w, the shortest that gives w.
class DependentProblem final : public HingeProblem {
 public:
  DependentProblem(MatrixView<double> gram, double c)
      : HingeProblem(c), directions_(gram), rows_(directions_.coordinates), by_rows_(rows_, c) {}

  std::unique_ptr<Labelled> label(std::vector<double> y) const override {
    return std::make_unique<LabelledDependent>(directions_, by_rows_.label(std::move(y)));
  }

 private:
  struct Directions {
    explicit Directions(MatrixView<double> gram) {
      const std::int64_t n = gram.rows;
      Matrix<double> vectors(n, n);
      for (std::int64_t i = 0; i < n; ++i) std::ranges::copy(gram.row(i), vectors.row(i).begin());
      std::vector<double> values(static_cast<std::size_t>(n));
      symmetric_eigen(n, vectors.data(), values.data());
      std::vector<std::int64_t> kept;
      for (std::int64_t k = 0; k < n; ++k) {
        if (values[static_cast<std::size_t>(k)] > kLeastDirection * values.back()) kept.push_back(k);
      }
      to_beta = take_rows(vectors.view(), std::span<const std::int64_t>(kept));
      Matrix<double> scaled = to_beta;
      for (std::int64_t k = 0; k < scaled.rows(); ++k) {
        const double root = std::sqrt(values[static_cast<std::size_t>(kept[static_cast<std::size_t>(k)])]);
        for (double& v : scaled.row(k)) v *= root;
        for (double& v : to_beta.row(k)) v /= root;
      }
      coordinates = transposed(scaled.view());
    }
    Matrix<double> coordinates;  // [n, directions]
    Matrix<double> to_beta;      // [directions, n]
  };

  class LabelledDependent final : public Labelled {
   public:
    LabelledDependent(const Directions& directions, std::unique_ptr<Labelled> by_rows)
        : directions_(directions), by_rows_(std::move(by_rows)) {}

    void ridge(const std::vector<bool>& active, HingeSolution& solution, std::vector<bool>& wrong) override {
      by_rows_->ridge(active, solution, wrong);
      std::vector<double> beta(active.size());
      add_rows(directions_.to_beta, {}, solution.coefficients, beta);
      solution.coefficients = std::move(beta);
    }
    double product(std::span<const double> a, std::span<const double>,
                   std::span<const double> decision) const override {
      return dot(a, decision);
    }

   private:
    const Directions& directions_;
    std::unique_ptr<Labelled> by_rows_;
  };

  Directions directions_;
  HingeRows rows_;
  RowProblem by_rows_;
};

// The share s >= 0 of a step at which the objective is least along it: 1/2 |w + s d|^2 + C sum max(0, 1 - y (f + s
// g))^2 has a derivative that is piecewise linear and rises. `slope` is <w, d>, `curve` is <d, d>.
double best_share(const std::vector<double>& y, const std::vector<double>& f, const std::vector<double>& g, double c,
                  double slope, double curve) {
  // A row with 1 - y (f + s g) above 0 adds -2C y g (1 - y f) + s 2C (y g)^2 to the derivative.
  struct Change {  // of the derivative, where a row leaves the sum or joins it
    double at, slope, curve;
  };
  std::vector<Change> changes;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double slack = 1.0 - y[i] * f[i], gain = y[i] * g[i];
    const double of_slope = -2.0 * c * gain * slack, of_curve = 2.0 * c * gain * gain;
    if (slack > 0.0) {
      slope += of_slope;
      curve += of_curve;
      if (gain > 0.0) changes.push_back({slack / gain, -of_slope, -of_curve});
    } else if (gain < 0.0) {
      changes.push_back({slack / gain, of_slope, of_curve});
    }
  }
  std::ranges::sort(changes, {}, &Change::at);
  for (const Change& change : changes) {
    if (slope + change.at * curve >= 0.0) break;
    slope += change.slope;
    curve += change.curve;
  }
  return curve > 0.0 ? std::max(0.0, -slope / curve) : 0.0;
}

}  // namespace

HingeRows::HingeRows(MatrixView<double> x) : rows(x) {
  if (x.rows < x.columns) return;
  products = Matrix<double>(x.columns, x.columns);
  add_products(x, false, products.values());
}

std::unique_ptr<const HingeProblem> HingeProblem::of_rows(const HingeRows& rows, double c) {
  require_c(c);
  return std::make_unique<RowProblem>(rows, c);
}

std::unique_ptr<const HingeProblem> HingeProblem::of_gram(MatrixView<double> gram, double c) {
  require_c(c);
  auto problem = std::make_unique<GramProblem>(gram, c);
  if (problem->is_degenerate()) return std::make_unique<DependentProblem>(gram, c);
  return problem;
}

HingeSolution HingeProblem::solve(const std::vector<bool>& positive, std::span<const double> near) const {
  assert(near.empty() || near.size() == positive.size());
  std::vector<double> y(positive.size());
  std::ranges::transform(positive, y.begin(), [](bool is) { return is ? 1.0 : -1.0; });
  std::vector<bool> active(y.size(), true);
  for (std::size_t i = 0; i < near.size(); ++i) active[i] = y[i] * near[i] < 1.0;

  const std::unique_ptr<Labelled> labelled = label(y);
  HingeSolution solution;
  exchange(*labelled, active, kFewSteps, solution);
  if (solution.converged) return solution;
  descend(*labelled, y, solution);
  if (solution.converged) return solution;
  // What is lowest to rounding lies within the root of it: few rows are left that may be on either side.
  for (std::size_t i = 0; i < active.size(); ++i) active[i] = y[i] * solution.decision[i] < 1.0;
  HingeSolution exact = solution;
  exchange(*labelled, active, solution.steps + kMostSteps, exact);
  if (exact.converged) return exact;
  solution.converged = solution.steps < kMostSteps;
  return solution;
}

void HingeProblem::exchange(Labelled& labelled, std::vector<bool>& active, int most_steps,
                            HingeSolution& solution) const {
  std::vector<bool> wrong;
  auto fewest = std::ssize(active) + 1;
  int patience = kPatience;
  while (solution.steps < most_steps) {
    labelled.ridge(active, solution, wrong);
    ++solution.steps;
    const auto count = std::ranges::count(wrong, true);
    if (count == 0) {
      solution.converged = true;
      return;
    }
    if (count < fewest) {
      fewest = count;
      patience = kPatience;
    } else if (patience > 0) {
      --patience;
    }
    const auto last =
        static_cast<std::size_t>(std::ranges::find(wrong.rbegin(), wrong.rend(), true).base() - wrong.begin()) - 1;
    for (std::size_t i = patience > 0 ? 0 : last; i <= last; ++i) active[i] = active[i] != wrong[i];
  }
}

void HingeProblem::descend(Labelled& labelled, const std::vector<double>& y, HingeSolution& solution) const {
  const std::size_t n = y.size();
  std::vector<bool> active(n), wrong;
  HingeSolution next;
  double objective = std::numeric_limits<double>::infinity();
  while (solution.steps < kMostSteps) {
    for (std::size_t i = 0; i < n; ++i) active[i] = y[i] * solution.decision[i] < 1.0;
    labelled.ridge(active, next, wrong);
    ++solution.steps;
    if (std::ranges::find(wrong, true) == wrong.end()) {
      solution.coefficients = next.coefficients;
      solution.decision = next.decision;
      solution.converged = true;
      return;
    }
    std::vector<double> step = next.coefficients, rise = next.decision;
    for (std::size_t k = 0; k < step.size(); ++k) step[k] -= solution.coefficients[k];
    for (std::size_t i = 0; i < n; ++i) rise[i] -= solution.decision[i];
    const double share = best_share(y, solution.decision, rise, c_, labelled.product(solution.coefficients, step, rise),
                                    labelled.product(step, step, rise));
    for (std::size_t k = 0; k < step.size(); ++k) solution.coefficients[k] += share * step[k];
    double loss = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      solution.decision[i] += share * rise[i];
      const double slack = std::max(0.0, 1.0 - y[i] * solution.decision[i]);
      loss += slack * slack;
    }
    const double found =
        labelled.product(solution.coefficients, solution.coefficients, solution.decision) / 2.0 + c_ * loss;
    if (found >= objective) return;
    objective = found;
  }
}

}  // namespace chiasm
