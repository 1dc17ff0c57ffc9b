// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rdm.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace chiasm {

Rdm::Rdm(std::int64_t items)
    : items(items), values(static_cast<std::size_t>(items > 1 ? items * (items - 1) / 2 : 0)) {}

std::int64_t Rdm::missing() const {
  return std::ranges::count_if(values, [](double value) { return std::isnan(value); });
}

double Rdm::operator()(std::int64_t i, std::int64_t j) const {
  if (i == j) return 0.0;
  return values[static_cast<std::size_t>(pair_index(items, std::min(i, j), std::max(i, j)))];
}

Rdm rdm_of_triangle(std::vector<double> values, const std::string& what) {
  const auto count = std::ssize(values);
  const auto items = static_cast<std::int64_t>(std::llround(0.5 + std::sqrt(0.25 + 2.0 * static_cast<double>(count))));
  if (count == 0 || items * (items - 1) / 2 != count) {
    throw InputError(what + " has " + std::to_string(count) +
                     " values: the triangle of a dissimilarity matrix of n items has n (n - 1) / 2");
  }
  Rdm rdm;
  rdm.items = items;
  rdm.values = std::move(values);
  return rdm;
}

Rdm rdm_of_square(MatrixView<double> square, const std::string& what) {
  if (square.rows != square.columns) {
    throw InputError(what + " is " + std::to_string(square.rows) + " x " + std::to_string(square.columns) +
                     ": a dissimilarity matrix is square");
  }
  Rdm rdm(square.rows);
  for (std::int64_t i = 0; i < square.rows; ++i) {
    const auto fail = [&](std::int64_t j, const std::string& expected) {
      throw InputError(what + " has " + std::to_string(square(i, j)) + " at (" + std::to_string(i) + ", " +
                       std::to_string(j) + "): " + expected);
    };
    if (std::abs(square(i, i)) > 0.0) fail(i, "an item has no distance to itself");
    for (std::int64_t j = i + 1; j < square.rows; ++j) {
      const double above = square(i, j), below = square(j, i);
      const bool same = (std::isnan(above) && std::isnan(below)) ||
                        std::abs(above - below) <= 1e-6 * std::max(std::abs(above), std::abs(below));
      if (!same) fail(j, "but " + std::to_string(below) + " at the mirrored place");
      rdm.values[static_cast<std::size_t>(pair_index(rdm.items, i, j))] = above;
    }
  }
  return rdm;
}

Matrix<double> square_of(const Rdm& rdm) {
  Matrix<double> square(rdm.items, rdm.items);
  std::size_t at = 0;
  for (std::int64_t i = 0; i < rdm.items; ++i) {
    for (std::int64_t j = i + 1; j < rdm.items; ++j) square(i, j) = square(j, i) = rdm.values[at++];
  }
  return square;
}

}  // namespace chiasm
