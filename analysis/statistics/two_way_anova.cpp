// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/two_way_anova.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "analysis/matrix.h"
#include "analysis/statistics/tails.h"
#include "kernels/error.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

constexpr double kRoundedSquares = 1e-24;  // share of the total that rounding of values leaves: (1e-12)^2

// A design column by column, fitted by least squares.
struct Model {
  std::vector<std::vector<double>> columns;

  void add(const std::vector<std::vector<double>>& more) { columns.insert(columns.end(), more.begin(), more.end()); }
};

struct Fit {
  double residual = 0.0;
  std::int64_t rank = 0;
};

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// By eigenvalues of the normal equations. Columns hold -1, 0 and 1, so that those equations are exact and a zero
// eigenvalue is clearly apart from the others.
Fit fit(const Model& model, const std::vector<double>& y) {
  const auto n = static_cast<std::int64_t>(model.columns.size());
  Matrix<double> products(n, n);
  std::vector<double> moments, values(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const auto& column = model.columns[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < n; ++k) products(i, k) = dot(column, model.columns[static_cast<std::size_t>(k)]);
    moments.push_back(dot(column, y));
  }
  symmetric_eigen(n, products.data(), values.data());
  std::vector<double> weights(static_cast<std::size_t>(n));
  Fit result;
  for (std::int64_t e = 0; e < n; ++e) {
    const double value = values[static_cast<std::size_t>(e)];
    if (!(value > 1e-9 * values.back())) continue;
    ++result.rank;
    double along = 0;
    for (std::int64_t k = 0; k < n; ++k) along += products(e, k) * moments[static_cast<std::size_t>(k)];
    for (std::int64_t k = 0; k < n; ++k) weights[static_cast<std::size_t>(k)] += along / value * products(e, k);
  }
  for (std::size_t i = 0; i < y.size(); ++i) {
    double r = y[i];
    for (std::size_t k = 0; k < weights.size(); ++k) r -= weights[k] * model.columns[k][i];
    result.residual += r * r;
  }
  return result;
}

// Contrasts that sum to zero: level l < last is 1 in column l, the last level is -1 in all.
std::vector<std::vector<double>> contrasts(const std::vector<std::size_t>& levels, std::size_t count) {
  std::vector<std::vector<double>> columns(count - 1, std::vector<double>(levels.size()));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    for (std::size_t c = 0; c + 1 < count; ++c) {
      columns[c][i] = levels[i] == c ? 1.0 : (levels[i] == count - 1 ? -1.0 : 0.0);
    }
  }
  return columns;
}

AnovaEffect effect(const Fit& without, const Fit& with, const TwoWayAnova& anova, double total) {
  AnovaEffect e;
  e.squares = std::max(0.0, without.residual - with.residual);
  if (e.squares <= kRoundedSquares * total) e.squares = 0.0;
  e.freedom = with.rank - without.rank;
  // Without freedom in the numerator or in the denominator this is 0 / 0 or a division by no freedom.
  const auto freedom = static_cast<double>(e.freedom), residual_freedom = static_cast<double>(anova.residual_freedom);
  if (e.freedom == 0 || anova.residual_freedom == 0) {
    e.f = e.p = std::numeric_limits<double>::quiet_NaN();
    return e;
  }
  e.f = (e.squares / freedom) / (anova.residual_squares / residual_freedom);
  e.p = f_upper(e.f, freedom, residual_freedom);
  return e;
}

// Levels that occur, numbered from 0.
std::vector<std::size_t> renumbered(const std::vector<int>& levels, std::size_t& count) {
  const std::set<int> distinct(levels.begin(), levels.end());
  count = distinct.size();
  std::vector<std::size_t> numbers;
  for (const int level : levels) {
    numbers.push_back(static_cast<std::size_t>(std::distance(distinct.begin(), distinct.find(level))));
  }
  return numbers;
}

}  // namespace

TwoWayAnova two_way_anova(std::span<const int> first, std::span<const int> second, std::span<const double> y,
                          AnovaType type) {
  if (first.size() != y.size() || second.size() != y.size()) {
    throw InputError("analysis of variance: " + std::to_string(first.size()) + " and " + std::to_string(second.size()) +
                     " levels for " + std::to_string(y.size()) + " observations");
  }
  TwoWayAnova anova;
  std::vector<int> levels_a, levels_b;
  std::vector<double> values;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (first[i] < 0 || second[i] < 0) {
      throw InputError("analysis of variance: observation " + std::to_string(i) + " has a negative level");
    }
    if (std::isnan(y[i])) {
      ++anova.left_out;
      continue;
    }
    levels_a.push_back(first[i]);
    levels_b.push_back(second[i]);
    values.push_back(y[i]);
  }
  if (values.empty()) throw InputError("analysis of variance: no observation");
  double mean = 0, total = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  for (double& v : values) v -= mean;
  for (const double v : values) total += v * v;

  std::size_t count_a = 0, count_b = 0;
  const auto a = renumbered(levels_a, count_a), b = renumbered(levels_b, count_b);
  std::set<std::pair<std::size_t, std::size_t>> cells;
  for (std::size_t i = 0; i < a.size(); ++i) cells.emplace(a[i], b[i]);
  if (type == AnovaType::kThree && cells.size() < count_a * count_b) {
    throw InputError("analysis of variance of type III: " + std::to_string(count_a * count_b - cells.size()) +
                     " pairs of levels have no observation; type II can be used");
  }
  const auto only_a = contrasts(a, count_a), only_b = contrasts(b, count_b);
  std::vector<std::vector<double>> both;
  for (const auto& u : only_a) {
    for (const auto& v : only_b) {
      both.emplace_back(u.size());
      std::ranges::transform(u, v, both.back().begin(), std::multiplies<>());
    }
  }
  const auto model = [&](bool with_a, bool with_b, bool with_both) {
    Model m{{std::vector<double>(values.size(), 1.0)}};
    if (with_a) m.add(only_a);
    if (with_b) m.add(only_b);
    if (with_both) m.add(both);
    return fit(m, values);
  };
  const Fit full = model(true, true, true), additive = model(true, true, false);
  anova.residual_squares = full.residual > kRoundedSquares * total ? full.residual : 0.0;
  anova.residual_freedom = std::ssize(values) - full.rank;
  const bool three = type == AnovaType::kThree;
  const Fit& top = three ? full : additive;
  anova.first = effect(model(false, true, three), top, anova, total);
  anova.second = effect(model(true, false, three), top, anova, total);
  anova.interaction = effect(additive, full, anova, total);
  return anova;
}

}  // namespace chiasm
