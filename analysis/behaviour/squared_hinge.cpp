// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/squared_hinge.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "analysis/behaviour/dense.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

using namespace dense;

// Rows that are beyond the hinge by no more than this, of the largest value, may be on either side of it.
constexpr double kRounding = 1e-12;
// Exchanges of all wrong rows that may fail to make them fewer, before only one row is exchanged at a time.
constexpr int kPatience = 5;
// Far above what is needed (2 to 12 are), so that a fit that does not end is found and counted.
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
  GramProblem(MatrixView<double> gram, double c) : gram_(gram), ridge_(0.5 / c), inverse_(gram.rows, gram.rows) {
    assert(gram.rows == gram.columns);
    for (std::int64_t i = 0; i < gram.rows; ++i) {
      std::ranges::copy(gram.row(i), inverse_.row(i).begin());
      inverse_(i, i) += ridge_;
    }
    invert_positive(inverse_);
  }

  std::unique_ptr<Labelled> label(std::vector<double> y) const override {
    return std::make_unique<LabelledGram>(*this, std::move(y));
  }

 private:
  // With M = K + I / 2C and P its inverse: beta is zero outside the active set S, and (M beta)_S = y_S.
  class LabelledGram final : public Labelled {
   public:
    LabelledGram(const GramProblem& problem, std::vector<double> y) : problem_(problem), y_(std::move(y)) {
      all_active_.resize(y_.size());
      add_rows(problem_.inverse_, {}, y_, all_active_);
    }

    void ridge(const std::vector<bool>& active, HingeSolution& solution, std::vector<bool>& wrong) override {
      const std::vector<std::int64_t> in = indices_of(active, true), out = indices_of(active, false);
      if (in.size() <= out.size()) {
        by_active(in, solution);
      } else {
        by_others(out, solution);
      }
      const std::vector<double>&beta = solution.coefficients, &f = solution.decision;
      const double beta_tolerance = kRounding * largest_size(beta);
      const double f_tolerance = kRounding * std::max(1.0, largest_size(f));
      wrong.resize(y_.size());
      for (std::size_t i = 0; i < y_.size(); ++i) {
        // y f = 1 - y beta / 2C inside S: the sign of beta is exact where the difference from 1 is not.
        wrong[i] = active[i] ? y_[i] * beta[i] < -beta_tolerance : y_[i] * f[i] - 1.0 < -f_tolerance;
      }
    }

   private:
    // beta_S = M_SS^-1 y_S, f = K_.S beta_S.
    void by_active(const std::vector<std::int64_t>& in, HingeSolution& solution) const {
      std::vector<double> matrix = gather_lower(problem_.gram_, in), beta = take(y_, in);
      for (std::size_t i = 0; i < in.size(); ++i) matrix[i * in.size() + i] += problem_.ridge_;
      solve_positive(matrix, beta);
      solution.coefficients.assign(y_.size(), 0.0);
      put(beta, in, solution.coefficients);
      solution.decision.assign(y_.size(), 0.0);
      add_rows(problem_.gram_, in, beta, solution.decision);
    }
    // M beta = y + d with d zero inside S: beta = P y + P_.R d, and beta_R = 0 gives P_RR d = -(P y)_R.
    // f = M beta - beta / 2C.
    void by_others(const std::vector<std::int64_t>& out, HingeSolution& solution) const {
      std::vector<double> matrix = gather_lower(problem_.inverse_, out), d = take(all_active_, out);
      for (double& value : d) value = -value;
      solve_positive(matrix, d);
      std::vector<double>& beta = solution.coefficients;
      beta = all_active_;
      add_rows(problem_.inverse_, out, d, beta);
      for (const std::int64_t i : out) beta[static_cast<std::size_t>(i)] = 0.0;
      solution.decision.resize(y_.size());
      for (std::size_t i = 0; i < y_.size(); ++i) solution.decision[i] = y_[i] - problem_.ridge_ * beta[i];
      for (std::size_t k = 0; k < out.size(); ++k) solution.decision[static_cast<std::size_t>(out[k])] += d[k];
    }

    const GramProblem& problem_;
    std::vector<double> y_;
    std::vector<double> all_active_;  // P y
  };

  MatrixView<double> gram_;
  double ridge_;  // 1 / 2C
  Matrix<double> inverse_;
};

class RowProblem final : public HingeProblem {
 public:
  RowProblem(MatrixView<double> rows, double c) : rows_(rows), ridge_(0.5 / c) {}

  std::unique_ptr<Labelled> label(std::vector<double> y) const override {
    return std::make_unique<LabelledRows>(*this, std::move(y));
  }

 private:
  class LabelledRows final : public Labelled {
   public:
    LabelledRows(const RowProblem& problem, std::vector<double> y) : problem_(problem), y_(std::move(y)) {}

    // With fewer features than active rows (X_S' X_S + I / 2C) w = X_S' y, else through the products of the rows.
    void ridge(const std::vector<bool>& active, HingeSolution& solution, std::vector<bool>& wrong) override {
      const std::vector<std::int64_t> in = indices_of(active, true);
      const Matrix<double> x = take_rows(problem_.rows_, in);
      std::vector<double> y = take(y_, in), &w = solution.coefficients;
      const bool primal = x.columns() <= x.rows();
      const std::int64_t side = std::min(x.rows(), x.columns());
      std::vector<double> matrix(static_cast<std::size_t>(side * side));
      gemm(CpuStream(1), side, side, std::max(x.rows(), x.columns()), {x.data(), x.columns(), primal},
           {x.data(), x.columns(), !primal}, 0.0, matrix.data(), side);
      for (std::int64_t i = 0; i < side; ++i) matrix[static_cast<std::size_t>(i * side + i)] += problem_.ridge_;
      w.assign(static_cast<std::size_t>(x.columns()), 0.0);
      if (!primal) solve_positive(matrix, y);
      add_rows(x, {}, y, w);
      if (primal) solve_positive(matrix, w);

      solution.decision.resize(y_.size());
      double largest = 1.0;
      for (std::size_t i = 0; i < y_.size(); ++i) {
        solution.decision[i] = dot(problem_.rows_.row(static_cast<std::int64_t>(i)), w);
        largest = std::max(largest, std::fabs(solution.decision[i]));
      }
      wrong.resize(y_.size());
      for (std::size_t i = 0; i < y_.size(); ++i) {
        const double beyond = y_[i] * solution.decision[i] - 1.0;
        wrong[i] = (active[i] ? beyond : -beyond) > kRounding * largest;
      }
    }

   private:
    const RowProblem& problem_;
    std::vector<double> y_;
  };

  MatrixView<double> rows_;
  double ridge_;
};

}  // namespace

std::unique_ptr<const HingeProblem> HingeProblem::of_rows(MatrixView<double> rows, double c) {
  require_c(c);
  return std::make_unique<RowProblem>(rows, c);
}

std::unique_ptr<const HingeProblem> HingeProblem::of_gram(MatrixView<double> gram, double c) {
  require_c(c);
  return std::make_unique<GramProblem>(gram, c);
}

HingeSolution HingeProblem::solve(const std::vector<bool>& positive, std::span<const double> near) const {
  assert(near.empty() || near.size() == positive.size());
  std::vector<double> y(positive.size());
  std::ranges::transform(positive, y.begin(), [](bool is) { return is ? 1.0 : -1.0; });
  std::vector<bool> active(y.size(), true), wrong;
  for (std::size_t i = 0; i < near.size(); ++i) active[i] = y[i] * near[i] < 1.0;

  const std::unique_ptr<Labelled> labelled = label(std::move(y));
  HingeSolution solution;
  auto fewest = std::ssize(active) + 1;
  int patience = kPatience;
  while (solution.steps < kMostSteps) {
    labelled->ridge(active, solution, wrong);
    ++solution.steps;
    const auto count = std::ranges::count(wrong, true);
    if (count == 0) {
      solution.converged = true;
      break;
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
  return solution;
}

}  // namespace chiasm
