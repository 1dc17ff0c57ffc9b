// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/subset_solver.h"

#include <algorithm>
#include <cmath>

#include "analysis/behaviour/dense.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

// A border of this share of the factored set costs about a third of a new factor.
constexpr std::size_t kLeastRatio = 12;

// matrix x = b by elimination with row exchanges, for the few unknowns of a border.
void solve_small(Matrix<double> matrix, std::vector<double>& b) {
  const std::int64_t n = matrix.rows();
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t pivot = k;
    for (std::int64_t i = k + 1; i < n; ++i) {
      if (std::fabs(matrix(i, k)) > std::fabs(matrix(pivot, k))) pivot = i;
    }
    std::swap_ranges(matrix.row(k).begin(), matrix.row(k).end(), matrix.row(pivot).begin());
    std::swap(b[static_cast<std::size_t>(k)], b[static_cast<std::size_t>(pivot)]);
    for (std::int64_t i = k + 1; i < n; ++i) {
      const double share = matrix(i, k) / matrix(k, k);
      for (std::int64_t j = k; j < n; ++j) matrix(i, j) -= share * matrix(k, j);
      b[static_cast<std::size_t>(i)] -= share * b[static_cast<std::size_t>(k)];
    }
  }
  for (std::int64_t k = n - 1; k >= 0; --k) {
    double& x = b[static_cast<std::size_t>(k)];
    for (std::int64_t j = k + 1; j < n; ++j) x -= matrix(k, j) * b[static_cast<std::size_t>(j)];
    x /= matrix(k, k);
  }
}

}  // namespace

std::vector<double> SubsetSolver::solve_anew(const std::vector<std::int64_t>& set, std::span<const double> b) {
  factored_ = set;
  factor_ = dense::gather_lower(matrix_, set);
  for (std::size_t i = 0; i < set.size(); ++i) factor_[i * set.size() + i] += ridge_;
  if (!cholesky(std::ssize(set), factor_.data())) {
    factored_.clear();
    throw NumericalError("svm", "a support vector machine met features that are not finite or too large");
  }
  std::vector<double> z = dense::take(b, set);
  cholesky_solve(std::ssize(set), factor_.data(), 1, z.data());
  return z;
}

std::vector<double> SubsetSolver::solve(const std::vector<std::int64_t>& set, std::span<const double> b) {
  std::vector<std::int64_t> joining, leaving;
  std::ranges::set_difference(set, factored_, std::back_inserter(joining));
  std::ranges::set_difference(factored_, set, std::back_inserter(leaving));
  const std::size_t border = joining.size() + leaving.size(), side = factored_.size();
  if (border * kLeastRatio > side || side == 0) return solve_anew(set, b);

  // Rows of the border: A[joining, factored], then a unit vector for each leaving row.
  const auto wide = static_cast<std::int64_t>(side), deep = static_cast<std::int64_t>(border);
  Matrix<double> rows(deep, wide);
  for (std::size_t e = 0; e < joining.size(); ++e) {
    const auto from = matrix_.row(joining[e]);
    const auto to = rows.row(static_cast<std::int64_t>(e));
    for (std::size_t k = 0; k < side; ++k) to[k] = from[static_cast<std::size_t>(factored_[k])];
  }
  for (std::size_t d = 0; d < leaving.size(); ++d) {
    const auto at = std::ranges::lower_bound(factored_, leaving[d]) - factored_.begin();
    rows(static_cast<std::int64_t>(joining.size() + d), at) = 1.0;
  }
  Matrix<double> solved = rows;
  cholesky_solve(wide, factor_.data(), deep, solved.data());
  std::vector<double> z = dense::take(b, factored_);
  cholesky_solve(wide, factor_.data(), 1, z.data());

  Matrix<double> schur(deep, deep);
  gemm(CpuStream(1), deep, deep, wide, {rows.data(), wide, false}, {solved.data(), wide, true}, 0.0, schur.data(),
       deep);
  for (double& value : schur.values()) value = -value;
  std::vector<double> x(border);
  for (std::size_t i = 0; i < border; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    x[i] = -dense::dot(rows.row(row), z);
    if (i >= joining.size()) continue;
    x[i] += b[static_cast<std::size_t>(joining[i])];
    for (std::size_t k = 0; k < joining.size(); ++k) schur.row(row)[k] += matrix_(joining[i], joining[k]);
    schur(row, row) += ridge_;
  }
  solve_small(std::move(schur), x);
  std::vector<double> minus_x(x);
  for (double& value : minus_x) value = -value;
  dense::add_rows(solved, {}, minus_x, z);

  std::vector<double> whole(b.size());
  dense::put(z, factored_, whole);
  dense::put(x, joining, whole);  // the multipliers behind them are not asked for
  return dense::take(whole, set);
}

}  // namespace chiasm
