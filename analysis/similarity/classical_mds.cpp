// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/classical_mds.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {

MdsPoints classical_mds(const Rdm& distances, std::int64_t dimensions) {
  const std::int64_t n = distances.items;
  if (dimensions < 1 || dimensions > n) {
    throw InputError(std::to_string(dimensions) + " dimensions for " + std::to_string(n) + " items: allowed are 1 to " +
                     std::to_string(n));
  }
  Matrix<double> b(n, n);
  std::vector<double> row_mean(static_cast<std::size_t>(n));
  double mean = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const double distance = distances(i, j);
      if (!std::isfinite(distance)) {
        throw InputError("items " + std::to_string(i) + " and " + std::to_string(j) + " are " +
                         std::to_string(distance) + " apart: scaling needs finite distances between all");
      }
      b(i, j) = -0.5 * distance * distance;
      row_mean[static_cast<std::size_t>(i)] += b(i, j) / static_cast<double>(n);
    }
    mean += row_mean[static_cast<std::size_t>(i)] / static_cast<double>(n);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      b(i, j) += mean - row_mean[static_cast<std::size_t>(i)] - row_mean[static_cast<std::size_t>(j)];
    }
  }
  MdsPoints result{Matrix<double>(n, dimensions), std::vector<double>(static_cast<std::size_t>(n))};
  symmetric_eigen(n, b.data(), result.eigenvalues.data());
  for (std::int64_t k = 0; k < dimensions; ++k) {
    const auto vector = b.row(n - 1 - k);
    const double value = result.eigenvalues[static_cast<std::size_t>(n - 1 - k)];
    if (!(value > 0.0)) continue;
    const auto largest = std::ranges::max_element(vector, {}, [](double entry) { return std::abs(entry); });
    const double scale = std::copysign(std::sqrt(value), *largest);
    for (std::int64_t i = 0; i < n; ++i) result.points(i, k) = scale * vector[static_cast<std::size_t>(i)];
  }
  std::ranges::reverse(result.eigenvalues);
  const double magnitude = std::max(std::abs(result.eigenvalues.front()), std::abs(result.eigenvalues.back()));
  result.negative = std::ranges::count_if(result.eigenvalues, [&](double v) { return v < -1e-12 * magnitude; });
  return result;
}

}  // namespace chiasm
