// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rdm_fold_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "analysis/maps/nnls.h"
#include "analysis/statistics/correlation.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

bool all_finite(MatrixView<double> rows, std::int64_t cell) {
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    if (!std::isfinite(rows(r, cell))) return false;
  }
  return true;
}

void require_cells(std::int64_t items, MatrixView<double> rows, const char* name) {
  const std::int64_t cells = items * (items - 1) / 2;
  if (items < 2 || rows.columns != cells) {
    throw InputError("regression of dissimilarity matrices: " + std::string(name) + " have " +
                     std::to_string(rows.columns) + " cells; " + std::to_string(items) + " images have " +
                     std::to_string(std::max<std::int64_t>(cells, 0)) + ", and two images are the least");
  }
}

// The fold of each image.
std::vector<std::int64_t> fold_of_image(std::int64_t items, const std::vector<Split>& folds) {
  std::vector<std::int64_t> fold(static_cast<std::size_t>(items), -1);
  const auto fail = [](std::int64_t image, const char* what) {
    throw InputError("regression of dissimilarity matrices: image " + std::to_string(image) + what);
  };
  for (std::size_t f = 0; f < folds.size(); ++f) {
    for (const std::int64_t image : folds[f].test) {
      if (image < 0 || image >= items) fail(image, " of a fold does not exist");
      if (fold[static_cast<std::size_t>(image)] >= 0) fail(image, " is in two folds");
      fold[static_cast<std::size_t>(image)] = static_cast<std::int64_t>(f);
    }
  }
  for (std::int64_t image = 0; image < items; ++image) {
    if (fold[static_cast<std::size_t>(image)] < 0) fail(image, " is in no fold");
  }
  return fold;
}

// Sums over cells of the values u = (regressors, targets).
struct Moments {
  Moments(std::int64_t regressors, std::int64_t width)
      : sum(static_cast<std::size_t>(width)), square(static_cast<std::size_t>(width)), product(regressors, width) {}

  std::int64_t cells = 0;
  std::vector<double> sum;     // u
  std::vector<double> square;  // u u
  Matrix<double> product;      // regressor u'

  void add(const Moments& other) {
    const auto add_to = [](std::span<double> a, std::span<const double> b) {
      std::ranges::transform(a, b, a.begin(), std::plus<>());
    };
    cells += other.cells;
    add_to(sum, other.sum);
    add_to(square, other.square);
    add_to(product.values(), other.product.values());
  }
};

// The cells with images in folds `a` and `b`, a <= b: those whose sums are in the training sums of all other folds.
struct Block {
  std::int64_t a, b, begin, end;  // rows of the sorted values
  bool touches(std::int64_t fold) const { return a == fold || b == fold; }
};

Moments moments_of(const Matrix<double>& values, std::int64_t regressors, const Block& block) {
  const std::int64_t width = values.columns();
  Moments moments(regressors, width);
  moments.cells = block.end - block.begin;
  for (std::int64_t c = block.begin; c < block.end; ++c) {
    const auto row = values.row(c);
    for (std::size_t u = 0; u < row.size(); ++u) {
      moments.sum[u] += row[u];
      moments.square[u] += row[u] * row[u];
    }
  }
  const double* first = values.data() + block.begin * width;
  gemm(CpuStream(1), regressors, width, moments.cells, {first, width, true}, {first, width}, 0.0,
       moments.product.data(), width);
  return moments;
}

}  // namespace

RdmCells::RdmCells(std::int64_t items, MatrixView<double> regressors, MatrixView<double> targets,
                   std::vector<std::int64_t> chosen)
    : items_(items), regressors_(regressors.rows), chosen_(std::move(chosen)) {
  require_cells(items, regressors, "the regressors");
  require_cells(items, targets, "the targets");
  const Matrix<double> y = take_rows(targets, chosen_);
  std::int64_t index = 0;
  for (std::int64_t i = 0; i < items; ++i) {
    for (std::int64_t k = i + 1; k < items; ++k, ++index) {
      if (all_finite(regressors, index) && all_finite(y, index)) cells_.push_back({index, i, k});
    }
  }
  values_ = Matrix<double>(std::ssize(cells_), regressors_ + y.rows());
  means_.assign(static_cast<std::size_t>(values_.columns()), 0.0);
  for (std::int64_t u = 0; u < values_.columns(); ++u) {
    const auto source = u < regressors_ ? regressors.row(u) : y.view().row(u - regressors_);
    double& mean = means_[static_cast<std::size_t>(u)];
    bool varies = false;
    for (const Cell& cell : cells_) {
      mean += source[static_cast<std::size_t>(cell.index)];
      varies |= source[static_cast<std::size_t>(cell.index)] != source[static_cast<std::size_t>(cells_[0].index)];
    }
    mean /= static_cast<double>(std::max<std::int64_t>(count(), 1));
    if (!varies && !cells_.empty()) mean = source[static_cast<std::size_t>(cells_[0].index)];  // leaves exact zeros
    for (std::int64_t c = 0; c < count(); ++c) {
      values_(c, u) = source[static_cast<std::size_t>(cells_[static_cast<std::size_t>(c)].index)] - mean;
    }
  }
}

RdmFoldFit fit_rdm_folds(const RdmCells& cells, const std::vector<Split>& folds) {
  const std::vector<std::int64_t> fold = fold_of_image(cells.items(), folds);
  const std::int64_t p = cells.regressors(), targets = std::ssize(cells.targets()), fold_count = std::ssize(folds);

  // Cells sorted by block, so that each is a matrix.
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::int64_t>> members;
  for (std::int64_t c = 0; c < cells.count(); ++c) {
    const auto& cell = cells.cells()[static_cast<std::size_t>(c)];
    const auto pair = std::minmax(fold[static_cast<std::size_t>(cell.i)], fold[static_cast<std::size_t>(cell.k)]);
    members[pair].push_back(c);
  }
  std::vector<std::int64_t> order;
  std::vector<Block> blocks;
  for (const auto& [pair, rows] : members) {
    blocks.push_back({pair.first, pair.second, std::ssize(order), std::ssize(order) + std::ssize(rows)});
    order.insert(order.end(), rows.begin(), rows.end());
  }
  const Matrix<double> values = take_rows<double>(cells.values(), order);
  std::vector<Moments> sums;
  for (const Block& block : blocks) sums.push_back(moments_of(values, p, block));

  RdmFoldFit fit{{}, Matrix<double>(fold_count, targets), Matrix<double>(cells.count(), targets), {}, {}};
  fit.not_converged.assign(static_cast<std::size_t>(targets), 0);
  Matrix<double> sorted(cells.count(), targets);  // sums of predictions, in the order of blocks
  std::vector<double> gram(static_cast<std::size_t>(p * p)), moments(static_cast<std::size_t>(p));
  for (std::int64_t f = 0; f < fold_count; ++f) {
    Moments train(p, p + targets);
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (!blocks[b].touches(f)) train.add(sums[b]);
    }
    if (train.cells == 0) {
      throw InputError("regression of dissimilarity matrices: fold " + std::to_string(f) +
                       " leaves no cell to train on; two images outside each fold are the least");
    }
    const double n = static_cast<double>(train.cells);
    const auto mean = [&](std::int64_t u) { return train.sum[static_cast<std::size_t>(u)] / n; };
    const auto centred = [&](std::int64_t j, std::int64_t u) { return train.product(j, u) - n * mean(j) * mean(u); };
    for (std::int64_t j = 0; j < p; ++j) {
      for (std::int64_t k = 0; k < p; ++k) gram[static_cast<std::size_t>(j * p + k)] = centred(j, k);
    }
    Matrix<double> weights(targets, p);
    for (std::int64_t t = 0; t < targets; ++t) {
      const std::int64_t u = p + t;
      for (std::int64_t j = 0; j < p; ++j) moments[static_cast<std::size_t>(j)] = centred(j, u);
      const double norm2 = train.square[static_cast<std::size_t>(u)] - n * mean(u) * mean(u);
      const bool converged =
          nnls_from_gram(p, gram.data(), moments.data(), std::sqrt(std::max(norm2, 0.0)), weights.row(t).data());
      fit.not_converged[static_cast<std::size_t>(t)] += converged ? 0 : 1;
      // About the means over all cells here; about zero for the caller.
      double intercept = mean(u);
      for (std::int64_t j = 0; j < p; ++j) intercept -= mean(j) * weights(t, j);
      for (const Block& block : blocks) {
        for (std::int64_t c = block.begin; block.touches(f) && c < block.end; ++c) sorted(c, t) += intercept;
      }
      intercept += cells.means()[static_cast<std::size_t>(u)];
      for (std::int64_t j = 0; j < p; ++j) intercept -= cells.means()[static_cast<std::size_t>(j)] * weights(t, j);
      fit.intercepts(f, t) = intercept;
    }
    for (const Block& block : blocks) {
      if (!block.touches(f)) continue;
      gemm(CpuStream(1), block.end - block.begin, targets, p,
           {values.data() + block.begin * (p + targets), p + targets}, {weights.data(), p, true}, 1.0,
           sorted.row(block.begin).data(), targets);
    }
    fit.weights.push_back(std::move(weights));
  }

  for (const Block& block : blocks) {
    const double times = block.a == block.b ? 1.0 : 2.0;
    for (std::int64_t c = block.begin; c < block.end; ++c) {
      for (std::int64_t t = 0; t < targets; ++t) {
        fit.predicted(order[static_cast<std::size_t>(c)], t) =
            sorted(c, t) / times + cells.means()[static_cast<std::size_t>(p + t)];
      }
    }
  }
  fit.r = column_pearson<double>(fit.predicted, {cells.values().data() + p, cells.count(), targets, p + targets});
  return fit;
}

std::vector<std::vector<std::int64_t>> targets_by_missing_cells(MatrixView<double> targets) {
  std::map<std::vector<bool>, std::vector<std::int64_t>> groups;
  for (std::int64_t t = 0; t < targets.rows; ++t) {
    std::vector<bool> missing;
    for (const double value : targets.row(t)) missing.push_back(!std::isfinite(value));
    groups[missing].push_back(t);
  }
  std::vector<std::vector<std::int64_t>> rows;
  for (auto& [missing, members] : groups) rows.push_back(std::move(members));
  return rows;
}

}  // namespace chiasm
