// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/repeats.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

bool counts(std::span<const double> trial) {
  return std::ranges::all_of(trial, [](double value) { return std::isfinite(value); });
}

void require_repeats(std::span<const Matrix<double>> repeats) {
  if (repeats.empty()) throw InputError("responses without repeats");
  for (const Matrix<double>& repeat : repeats) {
    if (repeat.rows() == repeats[0].rows() && repeat.columns() == repeats[0].columns()) continue;
    throw InputError("repeats of " + std::to_string(repeats[0].rows()) + " x " + std::to_string(repeats[0].columns()) +
                     " and of " + std::to_string(repeat.rows()) + " x " + std::to_string(repeat.columns()) +
                     " responses: all must have the same items and units");
  }
}

}  // namespace

std::vector<Matrix<double>> by_repeat(const Tensor& responses) {
  const Shape& shape = responses.shape();
  if (shape.rank() != 3) {
    throw ShapeError("responses by repeat have the axes [units, items, repeats], found " + to_string(responses.spec()));
  }
  const Matrix<double> flat = matrix_of<double>(responses.reshaped({shape[0] * shape[1], shape[2]}));
  std::vector<Matrix<double>> repeats(static_cast<std::size_t>(shape[2]), Matrix<double>(shape[1], shape[0]));
  for (std::int64_t unit = 0; unit < shape[0]; ++unit) {
    for (std::int64_t item = 0; item < shape[1]; ++item) {
      const auto trials = flat.row(unit * shape[1] + item);
      for (std::size_t r = 0; r < repeats.size(); ++r) repeats[r](item, unit) = trials[r];
    }
  }
  return repeats;
}

Matrix<double> item_means(std::span<const Matrix<double>> repeats, std::int64_t without) {
  require_repeats(repeats);
  Matrix<double> means(repeats[0].rows(), repeats[0].columns());
  for (std::int64_t i = 0; i < means.rows(); ++i) {
    const auto mean = means.row(i);
    std::int64_t trials = 0;
    for (std::int64_t r = 0; r < std::ssize(repeats); ++r) {
      const auto trial = repeats[static_cast<std::size_t>(r)].row(i);
      if (r == without || !counts(trial)) continue;
      ++trials;
      std::ranges::transform(mean, trial, mean.begin(), std::plus<>{});
    }
    const double divisor = trials > 0 ? static_cast<double>(trials) : std::numeric_limits<double>::quiet_NaN();
    for (double& value : mean) value /= divisor;
  }
  return means;
}

ShrunkCovariance noise_covariance(const CpuStream& stream, std::span<const Matrix<double>> repeats) {
  const Matrix<double> means = item_means(repeats);
  std::vector<double> deviations;
  std::int64_t rows = 0, degrees = 0;
  for (std::int64_t i = 0; i < means.rows(); ++i) {
    std::vector<std::span<const double>> trials;
    for (const Matrix<double>& repeat : repeats) {
      if (counts(repeat.row(i))) trials.push_back(repeat.row(i));
    }
    if (trials.size() < 2) continue;
    rows += std::ssize(trials);
    degrees += std::ssize(trials) - 1;
    for (const auto& trial : trials) {
      std::ranges::transform(trial, means.row(i), std::back_inserter(deviations), std::minus<>{});
    }
  }
  return {stream, Matrix<double>(rows, means.columns(), std::move(deviations)), degrees};
}

std::int64_t incomplete_trials(std::span<const Matrix<double>> repeats) {
  std::int64_t incomplete = 0;
  for (const Matrix<double>& repeat : repeats) {
    for (std::int64_t i = 0; i < repeat.rows(); ++i) incomplete += counts(repeat.row(i)) ? 0 : 1;
  }
  return incomplete;
}

}  // namespace chiasm
