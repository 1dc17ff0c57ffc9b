// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rdm_signature.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "analysis/similarity/rdm_fold_fit.h"
#include "analysis/statistics/split.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Groups {
  std::vector<int> of;          // by regressor
  std::vector<double> members;  // by group
};

Groups groups_of(const SignatureOptions& options, std::int64_t regressors) {
  Groups groups{options.group, {}};
  if (groups.of.empty()) {
    for (std::int64_t j = 0; j < regressors; ++j) groups.of.push_back(static_cast<int>(j));
  }
  if (std::ssize(groups.of) != regressors) {
    throw InputError("signature: groups of " + std::to_string(groups.of.size()) + " regressors, but there are " +
                     std::to_string(regressors));
  }
  for (const int group : groups.of) {
    if (group < 0 || group >= regressors) {
      throw InputError("signature: group " + std::to_string(group) + "; allowed are 0 to " +
                       std::to_string(regressors - 1));
    }
    groups.members.resize(std::max(groups.members.size(), static_cast<std::size_t>(group) + 1));
    ++groups.members[static_cast<std::size_t>(group)];
  }
  for (std::size_t g = 0; g < groups.members.size(); ++g) {
    if (groups.members[g] == 0) throw InputError("signature: no regressor is in group " + std::to_string(g));
  }
  if (options.contrasts.rows() > 0 && options.contrasts.columns() != std::ssize(groups.members)) {
    throw InputError("signature: contrasts of " + std::to_string(options.contrasts.columns()) +
                     " groups, but there are " + std::to_string(groups.members.size()));
  }
  if (options.splits < 1) throw InputError("signature: " + std::to_string(options.splits) + " splits; 1 is the least");
  return groups;
}

struct SplitFit {
  Matrix<double> weight;  // [targets, groups]
  std::vector<double> r;
  std::vector<std::int64_t> not_converged;
};

SplitFit fit_split(const RdmCells& cells, const Groups& groups, const std::vector<Split>& folds) {
  const RdmFoldFit fit = fit_rdm_folds(cells, folds);
  const auto targets = std::ssize(cells.targets());
  SplitFit result{Matrix<double>(targets, std::ssize(groups.members)), fit.r, fit.not_converged};
  for (std::int64_t t = 0; t < targets; ++t) {
    for (const Matrix<double>& weights : fit.weights) {
      for (std::int64_t j = 0; j < cells.regressors(); ++j) {
        result.weight(t, groups.of[static_cast<std::size_t>(j)]) += weights(t, j);
      }
    }
    for (std::size_t g = 0; g < groups.members.size(); ++g) {
      result.weight(t, static_cast<std::int64_t>(g)) /= groups.members[g] * static_cast<double>(folds.size());
    }
  }
  return result;
}

RdmSignature summary(const std::vector<SplitFit>& splits, std::int64_t t, const Matrix<double>& contrasts) {
  const auto count = static_cast<double>(splits.size());
  const std::int64_t groups = splits[0].weight.columns();
  RdmSignature s;
  for (std::int64_t g = 0; g < groups; ++g) {
    double mean = 0, squares = 0;
    for (const SplitFit& split : splits) mean += split.weight(t, g) / count;
    for (const SplitFit& split : splits) squares += std::pow(split.weight(t, g) - mean, 2);
    s.weight.push_back(mean);
    s.deviation.push_back(splits.size() > 1 ? std::sqrt(squares / (count - 1)) : kNaN);
  }
  for (std::int64_t c = 0; c < contrasts.rows(); ++c) {
    double mean = 0, positive = 0, negative = 0;
    for (const SplitFit& split : splits) {
      double value = 0;
      for (std::int64_t g = 0; g < groups; ++g) value += contrasts(c, g) * split.weight(t, g);
      mean += value / count;
      positive += value > 0;
      negative += value < 0;
    }
    s.contrast.push_back(mean);
    s.positive.push_back(positive / count);
    s.negative.push_back(negative / count);
  }
  for (const SplitFit& split : splits) {
    const double r = split.r[static_cast<std::size_t>(t)];
    if (std::isnan(r)) {
      ++s.undefined_splits;
    } else {
      s.r2 += r * r;
    }
    s.not_converged += split.not_converged[static_cast<std::size_t>(t)];
  }
  s.r2 /= count - static_cast<double>(s.undefined_splits);  // 0 / 0 is NaN
  return s;
}

}  // namespace

std::vector<RdmSignature> rdm_signatures(const CpuStream& stream, std::int64_t items, MatrixView<double> regressors,
                                         MatrixView<double> targets, const SignatureOptions& options) {
  const Groups groups = groups_of(options, regressors.rows);
  std::vector<RdmSignature> signatures(static_cast<std::size_t>(targets.rows));
  for (const std::vector<std::int64_t>& chosen : targets_by_missing_cells(targets)) {
    const RdmCells cells(items, regressors, targets, chosen);
    std::vector<SplitFit> splits(static_cast<std::size_t>(options.splits));
    stream.parallel_tasks(options.splits, [&](std::int64_t s) {
      const std::uint32_t seed = options.seed + static_cast<std::uint32_t>(s);
      splits[static_cast<std::size_t>(s)] = fit_split(cells, groups, shuffled_folds(seed, items, options.folds));
    });
    for (std::size_t t = 0; t < chosen.size(); ++t) {
      RdmSignature& signature = signatures[static_cast<std::size_t>(chosen[t])];
      signature = summary(splits, static_cast<std::int64_t>(t), options.contrasts);
      signature.cells_left_out = cells.left_out();
    }
  }
  return signatures;
}

}  // namespace chiasm
