// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/linear_svm.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <string>

#include "analysis/behaviour/liblinear.h"
#include "analysis/behaviour/squared_hinge.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

std::vector<bool> members(std::span<const std::int32_t> labels, std::int64_t wanted) {
  std::vector<bool> is(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) is[i] = labels[i] == wanted;
  return is;
}

void require_finite(MatrixView<double> x) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const auto row = x.row(i);
    const auto bad = std::ranges::find_if(row, [](double value) { return !std::isfinite(value); });
    if (bad == row.end()) continue;
    const std::string where = "image " + std::to_string(i) + ", feature " + std::to_string(bad - row.begin());
    throw NumericalError(where, "a support vector machine met the value " + std::to_string(*bad) + " at " + where +
                                    " (counted from 0); all must be finite");
  }
}

CpuStream same_bits(const CpuStream& stream) { return CpuStream(stream.threads(), true); }

}  // namespace

void require_classes(std::span<const std::int32_t> labels, int classes, const char* what) {
  if (classes < 2) throw InputError("a classifier of " + std::to_string(classes) + " classes: allowed are 2 or more");
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const std::int32_t label : labels) {
    if (label < 0 || label >= classes) {
      throw InputError(std::string(what) + ": label " + std::to_string(label) + ", allowed are 0 to " +
                       std::to_string(classes - 1));
    }
    ++counts[static_cast<std::size_t>(label)];
  }
  const auto missing = std::ranges::find(counts, 0);
  if (missing != counts.end()) {
    throw InputError(std::string(what) + ": class " + std::to_string(missing - counts.begin()) +
                     " has no image; each class needs one or more");
  }
}

LinearSvm fit_linear_svm(const CpuStream& stream, MatrixView<double> x, std::span<const std::int32_t> labels,
                         int classes, const SvmOptions& options) {
  assert(std::ssize(labels) == x.rows);
  require_classes(labels, classes, "the training images of a support vector machine");
  require_finite(x);
  LinearSvm svm{Matrix<double>(classes, x.columns), std::vector<double>(static_cast<std::size_t>(classes)), 0};
  if (options.solver == SvmSolver::kLiblinear) {
    stream.parallel_tasks(classes, [&](std::int64_t k) {
      const std::vector<double> w = fit_liblinear(x, members(labels, k), options.c);
      std::copy(w.begin(), w.end() - 1, svm.weights.row(k).begin());
      svm.intercepts[static_cast<std::size_t>(k)] = w.back();
    });
    return svm;
  }
  std::atomic<int> not_converged = 0;
  const auto fit_all = [&](const HingeProblem& problem, auto&& keep) {
    stream.parallel_tasks(classes, [&](std::int64_t k) {
      const HingeSolution solution = problem.solve(members(labels, k));
      if (!solution.converged) ++not_converged;
      keep(k, solution.coefficients);
    });
  };
  if (x.rows < x.columns) {
    const CpuStream fixed = same_bits(stream);
    Matrix<double> gram(x.rows, x.rows);
    gemm(fixed, x.rows, x.rows, x.columns, {x.data, x.stride, false}, {x.data, x.stride, true}, 0.0, gram.data(),
         x.rows);
    for (double& product : gram.values()) product += 1.0;
    Matrix<double> betas(classes, x.rows);
    fit_all(*HingeProblem::of_gram(gram, options.c), [&](std::int64_t k, const std::vector<double>& beta) {
      std::ranges::copy(beta, betas.row(k).begin());
      for (const double b : beta) svm.intercepts[static_cast<std::size_t>(k)] += b;
    });
    gemm(fixed, classes, x.columns, x.rows, {betas.data(), x.rows, false}, {x.data, x.stride, false}, 0.0,
         svm.weights.data(), x.columns);
  } else {
    Matrix<double> rows(x.rows, x.columns + 1);
    for (std::int64_t i = 0; i < x.rows; ++i) {
      std::ranges::copy(x.row(i), rows.row(i).begin());
      rows(i, x.columns) = 1.0;
    }
    const HingeRows products(rows);
    fit_all(*HingeProblem::of_rows(products, options.c), [&](std::int64_t k, const std::vector<double>& w) {
      std::copy(w.begin(), w.end() - 1, svm.weights.row(k).begin());
      svm.intercepts[static_cast<std::size_t>(k)] = w.back();
    });
  }
  svm.not_converged = not_converged;
  return svm;
}

Matrix<double> decision_values(const CpuStream& stream, const LinearSvm& svm, MatrixView<double> x) {
  const std::int64_t classes = svm.weights.rows();
  assert(x.columns == svm.weights.columns());
  Matrix<double> decisions(x.rows, classes);
  for (std::int64_t i = 0; i < x.rows; ++i) std::ranges::copy(svm.intercepts, decisions.row(i).begin());
  gemm(same_bits(stream), x.rows, classes, x.columns, {x.data, x.stride, false}, {svm.weights.data(), x.columns, true},
       1.0, decisions.data(), classes);
  return decisions;
}

std::vector<std::int32_t> largest_column(MatrixView<double> decisions) {
  std::vector<std::int32_t> largest(static_cast<std::size_t>(decisions.rows));
  for (std::int64_t i = 0; i < decisions.rows; ++i) {
    const auto row = decisions.row(i);
    largest[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin());
  }
  return largest;
}

}  // namespace chiasm
