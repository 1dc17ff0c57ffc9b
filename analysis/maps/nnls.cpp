// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/nnls.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "analysis/maps/centred_columns.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

// A regressor depends on others when less than this share of its squared norm is left: products of rounded entries of G
// are uncertain by about p * 1e-16 of it.
constexpr double kDependent = 1e-12;
// A gradient below this share of |x_j| |y| is rounding.
constexpr double kFlat = 1e-12;

constexpr auto dot = dot_product;

// What the method asks of a problem.
struct GramForm {
  std::int64_t p;
  const double* gram;
  const double* moments;

  double product(std::int64_t i, std::int64_t k) const { return gram[i * p + k]; }
  // X'(y - X b), b being zero outside `used`.
  void gradient(std::span<const std::int64_t> used, const double* b, std::vector<double>& out) const {
    std::copy_n(moments, p, out.begin());
    for (const std::int64_t k : used) {
      for (std::int64_t j = 0; j < p; ++j) out[static_cast<std::size_t>(j)] -= gram[k * p + j] * b[k];
    }
  }
};

struct RowForm {
  std::int64_t p, rows;
  const double* xt;
  const double* y;
  const double* moments;

  double product(std::int64_t i, std::int64_t k) const { return dot(xt + i * rows, xt + k * rows, rows); }
  void gradient(std::span<const std::int64_t> used, const double* b, std::vector<double>& out) const {
    std::vector<double> residual(y, y + rows);
    for (const std::int64_t k : used) {
      for (std::int64_t i = 0; i < rows; ++i) residual[static_cast<std::size_t>(i)] -= xt[k * rows + i] * b[k];
    }
    for (std::int64_t j = 0; j < p; ++j) out[static_cast<std::size_t>(j)] = dot(xt + j * rows, residual.data(), rows);
  }
};

// The regressors in use, in the order in which they came, and the Cholesky factor of their part of G.
template <class Form>
class UsedSet {
 public:
  explicit UsedSet(const Form& form) : form_(form) {}

  std::span<const std::int64_t> indices() const { return indices_; }

  // False where j depends on those in use.
  bool append(std::int64_t j) {
    const std::size_t k = indices_.size();
    std::vector<double> row(k + 1);
    for (std::size_t i = 0; i < k; ++i) {
      const double* above = factor_[i].data();
      row[i] = (form_.product(indices_[i], j) - dot(above, row.data(), static_cast<std::int64_t>(i))) / above[i];
    }
    const double norm2 = form_.product(j, j);
    const double left = norm2 - dot(row.data(), row.data(), static_cast<std::int64_t>(k));
    if (!(left > kDependent * norm2)) return false;
    row[k] = std::sqrt(left);
    indices_.push_back(j);
    factor_.push_back(std::move(row));
    return true;
  }

  void keep_where(const std::vector<bool>& kept) {
    const auto first = static_cast<std::size_t>(
        std::ranges::find_if(indices_, [&](std::int64_t j) { return !kept[static_cast<std::size_t>(j)]; }) -
        indices_.begin());
    const std::vector<std::int64_t> rest(indices_.begin() + static_cast<std::ptrdiff_t>(first), indices_.end());
    indices_.resize(first);
    factor_.resize(first);
    // Of fewer regressors none is more dependent than before, except by rounding; then it is left out for now.
    for (const std::int64_t j : rest) {
      if (kept[static_cast<std::size_t>(j)]) append(j);
    }
  }

  // b of the regressors in use without the constraint, in their order.
  std::vector<double> solve(const double* moments) const {
    const std::size_t k = indices_.size();
    std::vector<double> b(k);
    for (std::size_t i = 0; i < k; ++i) {
      b[i] = (moments[indices_[i]] - dot(factor_[i].data(), b.data(), static_cast<std::int64_t>(i))) / factor_[i][i];
    }
    for (std::size_t i = k; i-- > 0;) {
      b[i] /= factor_[i][i];
      for (std::size_t h = 0; h < i; ++h) b[h] -= factor_[i][h] * b[i];
    }
    return b;
  }

 private:
  const Form& form_;
  std::vector<std::int64_t> indices_;
  std::vector<std::vector<double>> factor_;  // row i has i + 1 entries
};

// Moves from the feasible `weights` towards the solution without constraint on the set in use, letting go of what
// reaches zero, until that solution is feasible.
template <class Form>
void restore(const Form& form, UsedSet<Form>& used, double* weights) {
  for (;;) {
    const std::vector<double> wanted = used.solve(form.moments);
    double step = 1.0;
    std::int64_t blocking = -1;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] > 0.0) continue;
      const double b = weights[used.indices()[i]];
      const double reach = b > 0.0 ? b / (b - wanted[i]) : 0.0;
      if (blocking >= 0 && reach >= step) continue;
      step = reach;
      blocking = used.indices()[i];
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      double& b = weights[used.indices()[i]];
      b = blocking < 0 ? wanted[i] : std::max(0.0, b + step * (wanted[i] - b));
    }
    if (blocking < 0) return;
    weights[blocking] = 0.0;
    std::vector<bool> kept(static_cast<std::size_t>(form.p));
    for (const std::int64_t j : used.indices()) kept[static_cast<std::size_t>(j)] = weights[j] > 0.0;
    used.keep_where(kept);
    // One that rounding put out has no weight.
    std::vector<bool> in_use(static_cast<std::size_t>(form.p));
    for (const std::int64_t j : used.indices()) in_use[static_cast<std::size_t>(j)] = true;
    for (std::int64_t j = 0; j < form.p; ++j) {
      if (!in_use[static_cast<std::size_t>(j)]) weights[j] = 0.0;
    }
  }
}

template <class Form>
bool solve(const Form& form, double target_norm, double* weights) {
  const auto p = static_cast<std::size_t>(form.p);
  std::fill_n(weights, p, 0.0);
  std::vector<double> gradient(p), flat(p);
  for (std::size_t j = 0; j < p; ++j) {
    const auto index = static_cast<std::int64_t>(j);
    flat[j] = kFlat * std::sqrt(std::max(0.0, form.product(index, index))) * target_norm;
  }
  UsedSet<Form> used(form);
  std::vector<bool> refused(p);  // by the present set
  form.gradient(used.indices(), weights, gradient);
  for (std::int64_t round = 0; round < 10 * form.p + 10;) {
    std::int64_t best = -1;
    for (std::size_t j = 0; j < p; ++j) {
      if (weights[j] > 0.0 || refused[j] || !(gradient[j] > flat[j])) continue;
      if (best < 0 || gradient[j] > gradient[static_cast<std::size_t>(best)]) best = static_cast<std::int64_t>(j);
    }
    if (best < 0) return true;
    refused[static_cast<std::size_t>(best)] = true;
    if (!used.append(best)) continue;
    ++round;
    // A gradient that is only rounding would give a weight that is not positive, and no progress.
    if (!(used.solve(form.moments).back() > 0.0)) {
      std::vector<bool> kept(p, true);
      kept[static_cast<std::size_t>(best)] = false;
      used.keep_where(kept);
      continue;
    }
    restore(form, used, weights);
    form.gradient(used.indices(), weights, gradient);
    refused.assign(p, false);
  }
  return false;
}

void require_finite(MatrixView<double> values, const char* name) {
  for (std::int64_t i = 0; i < values.rows; ++i) {
    for (std::int64_t k = 0; k < values.columns; ++k) {
      if (std::isfinite(values(i, k))) continue;
      throw NumericalError("nnls", std::string("non-negative least squares: ") + name + " [" + std::to_string(i) +
                                       ", " + std::to_string(k) + "] is not finite");
    }
  }
}

}  // namespace

bool nnls_from_gram(std::int64_t p, const double* gram, const double* moments, double target_norm, double* weights) {
  return solve(GramForm{p, gram, moments}, target_norm, weights);
}

NnlsSolver::NnlsSolver(const CpuStream& stream, MatrixView<double> x, bool intercept) : intercept_(intercept) {
  if (x.rows == 0) throw InputError("non-negative least squares of no rows");
  require_finite(x, "x");
  CentredColumns columns = centred_columns(x, intercept);
  xt_ = std::move(columns.rows);
  mean_ = std::move(columns.mean);
  if (x.rows >= x.columns) {
    gram_ = Matrix<double>(x.columns, x.columns);
    gemm(CpuStream(stream.threads(), true), x.columns, x.columns, x.rows, {xt_.data(), x.rows},
         {xt_.data(), x.rows, true}, 0.0, gram_.data(), x.columns);
  }
}

NnlsFit NnlsSolver::fit(const CpuStream& stream, MatrixView<double> y) const {
  const std::int64_t p = xt_.rows(), rows = xt_.columns(), targets = y.columns;
  if (y.rows != rows) {
    throw InputError("non-negative least squares: y has " + std::to_string(y.rows) + " rows, x has " +
                     std::to_string(rows));
  }
  require_finite(y, "y");
  const CentredColumns centred = centred_columns(y, intercept_);
  const Matrix<double>& yt = centred.rows;
  Matrix<double> moments(targets, p);
  gemm(CpuStream(stream.threads(), true), targets, p, rows, {yt.data(), rows}, {xt_.data(), rows, true}, 0.0,
       moments.data(), p);
  NnlsFit fit{Matrix<double>(targets, p), centred.mean, 0};
  std::vector<char> converged(static_cast<std::size_t>(targets));
  stream.parallel_tasks(targets, [&](std::int64_t t) {
    const double* target = yt.data() + t * rows;
    const double* m = moments.data() + t * p;
    double* weights = fit.weights.data() + t * p;
    const double norm = std::sqrt(dot(target, target, rows));
    converged[static_cast<std::size_t>(t)] = gram_.rows() > 0
                                                 ? solve(GramForm{p, gram_.data(), m}, norm, weights)
                                                 : solve(RowForm{p, rows, xt_.data(), target, m}, norm, weights);
    fit.intercepts[static_cast<std::size_t>(t)] -= dot(weights, mean_.data(), p);
  });
  fit.not_converged = std::ranges::count(converged, 0);
  return fit;
}

}  // namespace chiasm
