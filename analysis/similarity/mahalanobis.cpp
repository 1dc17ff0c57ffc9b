// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/mahalanobis.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "analysis/similarity/repeats.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// As in dissimilarity(): what cancels to less than this share is computed from the differences.
constexpr double kClose = 1e-3;

std::vector<char> finite_rows(const Matrix<double>& x) {
  std::vector<char> finite(static_cast<std::size_t>(x.rows()));
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    finite[static_cast<std::size_t>(i)] =
        std::ranges::all_of(x.row(i), [](double value) { return std::isfinite(value); });
  }
  return finite;
}

// Takes `shift` from rows that are finite, and sets the others to 0.
Matrix<double> shifted(const Matrix<double>& x, const std::vector<char>& finite, std::span<const double> shift) {
  Matrix<double> result(x.rows(), x.columns());
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    if (finite[static_cast<std::size_t>(i)]) {
      std::ranges::transform(x.row(i), shift, result.row(i).begin(), std::minus<>{});
    }
  }
  return result;
}

// Of the first row that is finite: distances do not change with it, and what all items have in common cancels first.
std::vector<double> first_finite(const Matrix<double>& x, const std::vector<char>& finite) {
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    if (finite[static_cast<std::size_t>(i)]) return {x.row(i).begin(), x.row(i).end()};
  }
  return std::vector<double>(static_cast<std::size_t>(x.columns()));
}

Matrix<double> products(const CpuStream& stream, const Matrix<double>& a, const Matrix<double>& b) {
  Matrix<double> result(a.rows(), b.rows());
  gemm<double>(CpuStream(stream.threads(), true), a.rows(), b.rows(), a.columns(), {a.data(), a.columns()},
               {b.data(), b.columns(), true}, 0.0, result.data(), b.rows());
  return result;
}

double product_of_differences(const Matrix<double>& a, const Matrix<double>& b, std::int64_t i, std::int64_t j) {
  const auto a_i = a.row(i), a_j = a.row(j), b_i = b.row(i), b_j = b.row(j);
  double sum = 0.0;
  for (std::size_t k = 0; k < a_i.size(); ++k) sum += (a_i[k] - a_j[k]) * (b_i[k] - b_j[k]);
  return sum;
}

void require_units(std::int64_t units, const ShrunkCovariance& noise) {
  if (units == noise.units()) return;
  throw InputError("responses of " + std::to_string(units) + " units, a noise covariance of " +
                   std::to_string(noise.units()));
}

}  // namespace

Rdm mahalanobis(const CpuStream& stream, MatrixView<double> x, const ShrunkCovariance& noise) {
  require_units(x.columns, noise);
  Matrix<double> rows(x.rows, x.columns);
  for (std::int64_t i = 0; i < x.rows; ++i) std::ranges::copy(x.row(i), rows.row(i).begin());
  const std::vector<char> finite = finite_rows(rows);
  rows = shifted(rows, finite, first_finite(rows, finite));
  const Matrix<double> solved = noise.solve(stream, rows), product = products(stream, rows, solved);
  Rdm rdm(x.rows);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (!finite[static_cast<std::size_t>(i)]) rdm.undefined.push_back(i);
  }
  stream.parallel_for(x.rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = i + 1; j < x.rows; ++j) {
        double& value = rdm.values[static_cast<std::size_t>(pair_index(x.rows, i, j))];
        if (!finite[static_cast<std::size_t>(i)] || !finite[static_cast<std::size_t>(j)]) {
          value = kNaN;
          continue;
        }
        const double squares = product(i, i) + product(j, j);
        double squared = squares - product(i, j) - product(j, i);
        if (squared < kClose * squares) squared = product_of_differences(rows, solved, i, j);
        value = std::sqrt(std::max(squared, 0.0));
      }
    }
  });
  return rdm;
}

Rdm cross_validated(const CpuStream& stream, std::span<const Matrix<double>> repeats, const ShrunkCovariance* noise) {
  if (repeats.size() < 2) {
    throw InputError("cross-validated distances from " + std::to_string(repeats.size()) +
                     " repeats: they need two or more");
  }
  const Matrix<double> means = item_means(repeats);
  if (noise != nullptr) require_units(means.columns(), *noise);
  const std::int64_t items = means.rows();
  const std::vector<double> shift = first_finite(means, finite_rows(means));
  Rdm rdm(items);
  std::vector<std::int32_t> folds(rdm.values.size());
  for (std::size_t r = 0; r < repeats.size(); ++r) {
    const Matrix<double> other_means = item_means(repeats, static_cast<std::int64_t>(r));
    const std::vector<char> finite_a = finite_rows(repeats[r]), finite_b = finite_rows(other_means);
    const Matrix<double> a = shifted(repeats[r], finite_a, shift);
    Matrix<double> b = shifted(other_means, finite_b, shift);
    if (noise != nullptr) b = noise->solve(stream, b);
    const Matrix<double> product = products(stream, a, b);
    const auto there = [&](std::int64_t i) {
      return finite_a[static_cast<std::size_t>(i)] && finite_b[static_cast<std::size_t>(i)];
    };
    for (std::int64_t i = 0; i < items; ++i) {
      for (std::int64_t j = i + 1; j < items; ++j) {
        if (!there(i) || !there(j)) continue;
        const auto at = static_cast<std::size_t>(pair_index(items, i, j));
        rdm.values[at] += product(i, i) + product(j, j) - product(i, j) - product(j, i);
        ++folds[at];
      }
    }
  }
  for (std::size_t at = 0; at < folds.size(); ++at) rdm.values[at] /= folds[at] > 0 ? folds[at] : kNaN;
  for (std::int64_t i = 0; i < items; ++i) {
    bool any = items < 2;
    for (std::int64_t j = 0; j < items; ++j) any = any || (i != j && !std::isnan(rdm(i, j)));
    if (!any) rdm.undefined.push_back(i);
  }
  return rdm;
}

}  // namespace chiasm
