// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/elastic_net.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "analysis/maps/centred_columns.h"
#include "analysis/maps/elastic_net_solver.h"
#include "analysis/maps/rotated_regressors.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {

void require_valid(const Penalty& penalty) {
  if (!(penalty.alpha > 0.0) || !std::isfinite(penalty.alpha)) {
    throw InputError("alpha of an elastic net: found " + std::to_string(penalty.alpha) + ", allowed is above 0");
  }
  if (!(penalty.l1_ratio >= 0.0 && penalty.l1_ratio <= 1.0)) {
    throw InputError("l1_ratio of an elastic net: found " + std::to_string(penalty.l1_ratio) + ", allowed is 0 to 1");
  }
}

template <class T>
ElasticNet::ElasticNet(const CpuStream& stream, MatrixView<T> x) {
  if (x.rows == 0) throw InputError("an elastic net of no rows");
  CentredColumns columns = centred_columns(x);
  xt_ = std::move(columns.rows);
  mean_ = std::move(columns.mean);
  if (rows() >= regressors()) {
    gram_ = Matrix<double>(regressors(), regressors());
    gemm(CpuStream(stream.threads(), true), regressors(), regressors(), rows(), {xt_.data(), rows()},
         {xt_.data(), rows(), true}, 0.0, gram_.data(), regressors());
  }
}

void ElasticNet::require_fitting(MatrixView<double> y, std::span<const Penalty> penalties) const {
  if (y.rows != rows()) {
    throw InputError("elastic net: y has " + std::to_string(y.rows) + " rows, x has " + std::to_string(rows()));
  }
  if (penalties.size() != 1 && std::ssize(penalties) != y.columns) {
    throw InputError("elastic net: " + std::to_string(penalties.size()) + " penalties for " +
                     std::to_string(y.columns) + " targets; allowed are one for all or one for each");
  }
  for (const Penalty& penalty : penalties) require_valid(penalty);
}

ElasticNetFit ElasticNet::minimum(const CpuStream& stream, MatrixView<double> y,
                                  std::span<const Penalty> penalties) const {
  require_fitting(y, penalties);
  const CentredColumns targets = centred_columns(y);
  const RotatedRegressors rotated(xt_);
  ElasticNetFit fit{Matrix<double>(y.columns, regressors()), targets.mean, 0};
  std::vector<char> converged(static_cast<std::size_t>(y.columns));
  stream.parallel_tasks(y.columns, [&](std::int64_t k) {
    const Penalty& penalty = penalties[penalties.size() == 1 ? 0 : static_cast<std::size_t>(k)];
    const double t = penalty.alpha * static_cast<double>(rows());
    ElasticNetSolver solver(rotated);
    solver.set_target(targets.rows.row(k));
    converged[static_cast<std::size_t>(k)] = solver.solve(t, penalty.l1_ratio);
    for (std::size_t i = 0; i < solver.used().size(); ++i) fit.weights(k, solver.used()[i]) = solver.used_weights()[i];
    fit.intercepts[static_cast<std::size_t>(k)] -= dot_product(fit.weights.row(k).data(), mean_.data(), regressors());
  });
  fit.not_converged = std::ranges::count(converged, 0);
  return fit;
}

ElasticNetFit ElasticNet::descend(const CpuStream& stream, MatrixView<double> y, std::span<const Penalty> penalties,
                                  DescentLimits limits) const {
  require_fitting(y, penalties);
  const CentredColumns targets = centred_columns(y);
  ElasticNetFit fit{Matrix<double>(y.columns, regressors()), targets.mean, 0};
  std::vector<char> converged(static_cast<std::size_t>(y.columns));
  stream.parallel_tasks(y.columns, [&](std::int64_t k) {
    const double* target = targets.rows.row(k).data();
    double* weights = fit.weights.row(k).data();
    const Penalty& penalty = penalties[penalties.size() == 1 ? 0 : static_cast<std::size_t>(k)];
    const double scale = penalty.alpha * static_cast<double>(rows());
    const double l1 = scale * penalty.l1_ratio, l2 = scale * (1.0 - penalty.l1_ratio);
    DescentEnd end;
    if (gram_.rows() > 0) {
      std::vector<double> moments(static_cast<std::size_t>(regressors()));
      for (std::int64_t j = 0; j < regressors(); ++j) {
        moments[static_cast<std::size_t>(j)] = dot_product(xt_.row(j).data(), target, rows());
      }
      end = descend_on_gram(gram_, moments.data(), dot_product(target, target, rows()), l1, l2, limits, weights);
    } else {
      end = descend_on_rows(xt_, target, l1, l2, limits, weights);
    }
    converged[static_cast<std::size_t>(k)] = end.converged;
    fit.intercepts[static_cast<std::size_t>(k)] -= dot_product(weights, mean_.data(), regressors());
  });
  fit.not_converged = std::ranges::count(converged, 0);
  return fit;
}

template <class T>
Matrix<double> ElasticNet::predict(const CpuStream& stream, MatrixView<T> x, const ElasticNetFit& fit) const {
  const std::int64_t targets = fit.weights.rows(), p = regressors();
  Matrix<double> predictions(x.rows, targets);
  // Most weights are zero: only the others are multiplied.
  stream.parallel_tasks(targets, [&](std::int64_t k) {
    const auto weights = fit.weights.row(k);
    std::vector<std::int64_t> used;
    for (std::int64_t j = 0; j < p; ++j) {
      if (weights[static_cast<std::size_t>(j)] != 0.0) used.push_back(j);
    }
    for (std::int64_t i = 0; i < x.rows; ++i) {
      double sum = fit.intercepts[static_cast<std::size_t>(k)];
      for (const std::int64_t j : used) sum += static_cast<double>(x(i, j)) * weights[static_cast<std::size_t>(j)];
      predictions(i, k) = sum;
    }
  });
  return predictions;
}

template ElasticNet::ElasticNet(const CpuStream&, MatrixView<float>);
template ElasticNet::ElasticNet(const CpuStream&, MatrixView<double>);
template Matrix<double> ElasticNet::predict(const CpuStream&, MatrixView<float>, const ElasticNetFit&) const;
template Matrix<double> ElasticNet::predict(const CpuStream&, MatrixView<double>, const ElasticNetFit&) const;

}  // namespace chiasm
