// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/elastic_net_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "analysis/maps/elastic_net_path.h"
#include "analysis/statistics/split.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// `count` values from `first` to `last` at equal distances.
std::vector<double> equal_steps(double first, double last, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(first + (last - first) * i / (count - 1));
  values.back() = last;
  return values;
}

ElasticNetGrid mec(int alphas, int ratios) {
  ElasticNetGrid grid;
  for (const double exponent : equal_steps(-9, 9, alphas)) grid.alphas.push_back(std::pow(10.0, exponent));
  grid.l1_ratios = equal_steps(0.01, 1.0, ratios);
  grid.l1_ratios.insert(grid.l1_ratios.begin(), 1e-16);
  grid.alpha_over_n = true;
  return grid;
}

}  // namespace

Penalty ElasticNetGrid::pair(std::int64_t index, std::int64_t rows) const {
  const std::int64_t ratios = std::ssize(l1_ratios);
  const double alpha = alphas[static_cast<std::size_t>(index / ratios)];
  return {alpha_over_n ? alpha / static_cast<double>(rows) : alpha,
          l1_ratios[static_cast<std::size_t>(index % ratios)]};
}

ElasticNetGrid mec_grid() { return mec(99, 99); }
ElasticNetGrid mec_short_grid() { return mec(9, 9); }
ElasticNetGrid mec_1d_grid() { return mec(5, 4); }

template <class T>
ElasticNetScores elastic_net_scores(const CpuStream& stream, MatrixView<T> x, MatrixView<double> y,
                                    const ElasticNetGrid& grid) {
  if (grid.pairs() == 0) throw InputError("elastic net: a grid without penalties");
  if (y.rows != x.rows) {
    throw InputError("elastic net: y has " + std::to_string(y.rows) + " rows, x has " + std::to_string(x.rows));
  }
  for (std::int64_t i = 0; i < grid.pairs(); ++i) require_valid(grid.pair(i, 1));
  const std::vector<Split> folds = contiguous_folds(x.rows, grid.folds);
  std::vector<ElasticNetPaths> paths;
  for (const Split& fold : folds) {
    const double scale = grid.alpha_over_n ? 1.0 : static_cast<double>(fold.train.size());
    paths.emplace_back(take_rows<T>(x, fold.train), take_rows<T>(x, fold.test), grid.alphas, scale, grid.l1_ratios);
  }
  const std::int64_t fold_count = std::ssize(folds);
  std::vector<Matrix<double>> r(folds.size(), Matrix<double>(y.columns, grid.pairs()));
  std::vector<std::int64_t> failed(static_cast<std::size_t>(y.columns * fold_count));
  stream.parallel_tasks(y.columns * fold_count, [&](std::int64_t task) {
    const auto fold = static_cast<std::size_t>(task % fold_count);
    const std::int64_t target = task / fold_count;
    const auto column = [&](const std::vector<std::int64_t>& rows) {
      std::vector<double> values;
      for (const std::int64_t i : rows) values.push_back(y(i, target));
      return values;
    };
    failed[static_cast<std::size_t>(task)] =
        paths[fold].scores(column(folds[fold].train), column(folds[fold].test), r[fold].row(target));
  });
  ElasticNetScores scores{std::move(r[0]), std::accumulate(failed.begin(), failed.end(), std::int64_t{0})};
  for (std::int64_t i = 0; i < std::ssize(scores.r.values()); ++i) {
    double& sum = scores.r.values()[static_cast<std::size_t>(i)];
    for (std::size_t fold = 1; fold < folds.size(); ++fold) sum += r[fold].values()[static_cast<std::size_t>(i)];
    sum /= static_cast<double>(fold_count);
  }
  return scores;
}

std::int64_t best_pair(std::span<const double> r) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < std::ssize(r); ++i) {
    const double value = r[static_cast<std::size_t>(i)], so_far = r[static_cast<std::size_t>(best)];
    if (value > so_far || (std::isnan(so_far) && !std::isnan(value))) best = i;
  }
  return best;
}

std::vector<std::int64_t> best_pairs_by_group(const Matrix<double>& r, std::span<const std::int64_t> group) {
  if (std::ssize(group) != r.rows()) {
    throw InputError("elastic net: groups of " + std::to_string(group.size()) + " targets, but there are " +
                     std::to_string(r.rows()));
  }
  std::int64_t count = 0;
  for (const std::int64_t g : group) {
    if (g < 0 || g >= r.rows()) throw InputError("elastic net: group " + std::to_string(g) + " of a target");
    count = std::max(count, g + 1);
  }
  Matrix<double> sum(count, r.columns()), members(count, r.columns());
  for (std::int64_t k = 0; k < r.rows(); ++k) {
    const std::int64_t g = group[static_cast<std::size_t>(k)];
    for (std::int64_t i = 0; i < r.columns(); ++i) {
      if (std::isnan(r(k, i))) continue;
      sum(g, i) += r(k, i);
      members(g, i) += 1;
    }
  }
  std::vector<std::int64_t> best;
  for (std::int64_t g = 0; g < count; ++g) {
    for (std::int64_t i = 0; i < r.columns(); ++i) sum(g, i) = members(g, i) > 0 ? sum(g, i) / members(g, i) : kNaN;
    best.push_back(best_pair(sum.row(g)));
  }
  return best;
}

template ElasticNetScores elastic_net_scores(const CpuStream&, MatrixView<float>, MatrixView<double>,
                                             const ElasticNetGrid&);
template ElasticNetScores elastic_net_scores(const CpuStream&, MatrixView<double>, MatrixView<double>,
                                             const ElasticNetGrid&);

}  // namespace chiasm
