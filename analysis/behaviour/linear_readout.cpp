// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/linear_readout.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "analysis/behaviour/class_splits.h"
#include "analysis/behaviour/dense.h"
#include "analysis/behaviour/linear_svm.h"
#include "analysis/behaviour/squared_hinge.h"
#include "analysis/maps/ridge.h"
#include "analysis/statistics/correlation.h"
#include "engine/statistics/pca.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

using Indices = std::span<const std::int64_t>;

void require_config(const LinearReadoutConfig& config, std::span<const Split> splits, std::int64_t images) {
  const auto require = [](bool good, const std::string& what) {
    if (!good) throw InputError("a linear readout: " + what);
  };
  require(!splits.empty(), "no splits");
  require(config.components >= 1, std::to_string(config.components) + " components: allowed are 1 or more");
  require(config.folds >= 2, std::to_string(config.folds) + " folds: allowed are 2 or more");
  require(!config.grid.empty(), "no C to choose from");
  for (const double c : config.grid) {
    require(c > 0.0 && std::isfinite(c), "C = " + std::to_string(c) + ": allowed are positive numbers");
  }
  for (const Split& split : splits) {
    require(!split.train.empty() && !split.test.empty(), "a split without images to train or to test on");
    for (const std::vector<std::int64_t>* side : {&split.train, &split.test}) {
      for (const std::int64_t i : *side) {
        require(i >= 0 && i < images,
                "image " + std::to_string(i) + " in a split: allowed are 0 to " + std::to_string(images - 1));
      }
    }
  }
}

template <class T>
Matrix<double> in_double(const Matrix<T>& x) {
  return {x.rows(), x.columns(), {x.values().begin(), x.values().end()}};
}

struct Sides {
  Matrix<double> train, test;
};

// The features of a split, or their components.
template <class T>
Sides sides_of(const CpuStream& stream, const Source<T>& features, const Split& split, std::int64_t components) {
  const Matrix<T>& all = features.values(stream);
  Sides sides{in_double(take_rows(all.view(), Indices(split.train))),
              in_double(take_rows(all.view(), Indices(split.test)))};
  if (all.columns() <= components) return sides;
  const Matrix<float> trained(sides.train.rows(), all.columns(),
                              {sides.train.values().begin(), sides.train.values().end()});
  const Pca pca = fit_pca(stream, tensor_of<float>(trained), components);
  const Matrix<double> loadings = matrix_of<double>(pca.components);
  const auto mean = pca.mean.template values<double>();
  const CpuStream fixed(stream.threads(), true);
  for (Matrix<double>* const side : {&sides.train, &sides.test}) {
    for (std::int64_t i = 0; i < side->rows(); ++i) {
      for (std::size_t k = 0; k < mean.size(); ++k) side->row(i)[k] -= mean[k];
    }
    Matrix<double> scores(side->rows(), loadings.rows());
    gemm(fixed, side->rows(), loadings.rows(), loadings.columns(), {side->data(), side->columns(), false},
         {loadings.data(), loadings.columns(), true}, 0.0, scores.data(), loadings.rows());
    *side = std::move(scores);
  }
  return sides;
}

Sides fold_of(const Matrix<double>& x, const Split& fold) {
  return {take_rows(x.view(), Indices(fold.train)), take_rows(x.view(), Indices(fold.test))};
}

std::vector<std::int32_t> taken(std::span<const std::int32_t> labels, Indices images) {
  std::vector<std::int32_t> some;
  for (const std::int64_t i : images) some.push_back(labels[static_cast<std::size_t>(i)]);
  return some;
}

double accuracy(const Matrix<double>& decisions, std::span<const std::int32_t> labels) {
  const std::vector<std::int32_t> guesses = largest_column(decisions);
  std::int64_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += guesses[i] == labels[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

Matrix<double> with_ones(const Matrix<double>& x) {
  Matrix<double> wider(x.rows(), x.columns() + 1);
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    std::ranges::copy(x.row(i), wider.row(i).begin());
    wider(i, x.columns()) = 1.0;
  }
  return wider;
}

// Accuracies of every C in one fold; each fit starts from the solution at the C before.
std::vector<double> fold_accuracies(const CpuStream& stream, const Sides& fold, std::span<const std::int32_t> trained,
                                    std::span<const std::int32_t> tested, int classes, std::span<const double> grid) {
  std::vector<Matrix<double>> decisions(grid.size(), Matrix<double>(fold.test.rows(), classes));
  // The order of the path does not change where it ends.
  const bool products = fold.train.rows() < fold.train.columns();
  const Matrix<double> train = with_ones(fold.train), test = with_ones(fold.test);
  const HingeRows rows(train);
  Matrix<double> gram;
  if (products) {
    gram = Matrix<double>(train.rows(), train.rows());
    gemm(CpuStream(stream.threads(), true), train.rows(), train.rows(), train.columns(),
         {train.data(), train.columns(), false}, {train.data(), train.columns(), true}, 0.0, gram.data(), train.rows());
  }
  std::vector<std::vector<double>> near(static_cast<std::size_t>(classes));
  for (std::size_t g = 0; g < grid.size(); ++g) {
    const auto problem = products ? HingeProblem::of_gram(gram, grid[g]) : HingeProblem::of_rows(rows, grid[g]);
    stream.parallel_tasks(classes, [&](std::int64_t k) {
      std::vector<bool> positive(trained.size());
      for (std::size_t i = 0; i < trained.size(); ++i) positive[i] = trained[i] == k;
      std::vector<double>& start = near[static_cast<std::size_t>(k)];
      HingeSolution solution = problem->solve(positive, start);
      start = std::move(solution.decision);
      std::vector<double> w = solution.coefficients;
      if (products) {
        w.assign(static_cast<std::size_t>(train.columns()), 0.0);
        dense::add_rows(train, {}, solution.coefficients, w);
      }
      for (std::int64_t i = 0; i < test.rows(); ++i) {
        decisions[g](i, k) = dense::dot(w, test.row(i));
      }
    });
  }
  std::vector<double> accuracies;
  for (const Matrix<double>& decision : decisions) accuracies.push_back(accuracy(decision, tested));
  return accuracies;
}

// 1 - SS_res / SS_tot, averaged over columns.
double r_squared(const Matrix<double>& predicted, const Matrix<double>& truth) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < truth.columns(); ++k) {
    double mean = 0.0, residual = 0.0, total = 0.0;
    for (std::int64_t i = 0; i < truth.rows(); ++i) mean += truth(i, k) / static_cast<double>(truth.rows());
    for (std::int64_t i = 0; i < truth.rows(); ++i) {
      residual += (truth(i, k) - predicted(i, k)) * (truth(i, k) - predicted(i, k));
      total += (truth(i, k) - mean) * (truth(i, k) - mean);
    }
    sum += total > 0.0 ? 1.0 - residual / total : (residual == 0.0 ? 1.0 : 0.0);
  }
  return sum / static_cast<double>(truth.columns());
}

// Fits with every penalty to the training side and calls use(g, predictions of the test side).
template <class Use>
void for_each_ridge(const CpuStream& stream, Sides sides, const Matrix<double>& y, std::span<const double> grid,
                    Use&& use) {
  std::vector<double> mean(static_cast<std::size_t>(sides.train.columns()));
  for (std::int64_t i = 0; i < sides.train.rows(); ++i) {
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += sides.train.row(i)[k] / static_cast<double>(y.rows());
  }
  for (Matrix<double>* const side : {&sides.train, &sides.test}) {
    for (std::int64_t i = 0; i < side->rows(); ++i) {
      for (std::size_t k = 0; k < mean.size(); ++k) side->row(i)[k] -= mean[k];
    }
  }
  const RidgeBasis<double> basis = ridge_basis<double>(stream, sides.train, sides.test);
  for (std::size_t g = 0; g < grid.size(); ++g) {
    const std::vector<double> alphas(static_cast<std::size_t>(y.columns()), 1.0 / grid[g]);
    use(g, ridge_predict<double>(stream, basis, y.view(), alphas));
  }
}

// What both kinds of task share: choose where asked, fit, score, average.
class Run {
 public:
  Run(std::span<const Split> splits, const LinearReadoutConfig& config) : splits_(splits), config_(config) {
    total_ = std::ssize(splits) + config.folds * (config.choose_in_each_split ? std::ssize(splits) : 1);
  }

  // validate(sides, fold index) -> scores of the grid; evaluate(sides, split, c) -> score.
  template <class SidesOf, class Folds, class Validate, class Evaluate>
  LinearReadout operator()(SidesOf&& sides_of_split, Folds&& folds_of, Validate&& validate, Evaluate&& evaluate) {
    LinearReadout result;
    std::vector<double> validation, mean;
    std::size_t best = 0;
    std::optional<Sides> sides;
    for (std::size_t s = 0; s < splits_.size(); ++s) {
      const Split& split = splits_[s];
      sides = sides_of_split(split);
      if (s == 0 || config_.choose_in_each_split) {
        mean.assign(config_.grid.size(), 0.0);
        for (const Split& fold : folds_of(split)) {
          const std::vector<double> scores = validate(*sides, split, fold);
          for (std::size_t g = 0; g < mean.size(); ++g) mean[g] += scores[g] / config_.folds;
          if (!tell()) return stopped();
        }
        best = static_cast<std::size_t>(std::ranges::max_element(mean) - mean.begin());
        validation.insert(validation.end(), mean.begin(), mean.end());
      }
      result.c.push_back(config_.grid[best]);
      result.scores.push_back(evaluate(*sides, split, s, config_.grid[best], result));
      if (!tell()) return stopped();
    }
    const std::int64_t grid = std::ssize(config_.grid), choices = std::ssize(validation) / grid;
    result.validation = Matrix<double>(choices, grid, std::move(validation));
    double sum = 0.0;
    int count = 0;
    for (const double score : result.scores) {
      if (std::isnan(score)) continue;
      sum += score;
      ++count;
    }
    result.score = sum / count;  // NaN without any
    return result;
  }

 private:
  bool tell() { return !config_.progress || config_.progress(++done_, total_); }
  static LinearReadout stopped() {
    LinearReadout result;
    result.complete = false;
    return result;
  }

  std::span<const Split> splits_;
  const LinearReadoutConfig& config_;
  std::int64_t done_ = 0, total_ = 0;
};

}  // namespace

std::vector<double> regulariser_grid() {
  std::vector<double> grid;
  // From decimal text: 5e-8 is not 5 times the rounded 1e-8.
  for (int k = -8; k <= 8; ++k) {
    for (const char* digit : {"1e", "5e"}) {
      if (k != 0 || digit[0] == '1') grid.push_back(std::stod(digit + std::to_string(k)));
    }
  }
  return grid;
}

template <class T>
LinearReadout classify_readout(const CpuStream& stream, const Source<T>& features, std::span<const std::int32_t> labels,
                               int classes, std::span<const Split> splits, const LinearReadoutConfig& config) {
  if (features.stimuli() != std::ssize(labels)) {
    throw InputError("a linear readout of " + std::to_string(features.stimuli()) + " images with " +
                     std::to_string(labels.size()) + " labels");
  }
  require_config(config, splits, features.stimuli());
  return Run(splits, config)(
      [&](const Split& split) { return sides_of(stream, features, split, config.components); },
      [&](const Split& split) { return stratified_folds(taken(labels, split.train), config.folds); },
      [&](const Sides& sides, const Split& split, const Split& fold) {
        const std::vector<std::int32_t> all = taken(labels, split.train);
        const std::vector<std::int32_t> trained = taken(all, fold.train), tested = taken(all, fold.test);
        require_classes(trained, classes, "the training images of a linear readout");
        return fold_accuracies(stream, fold_of(sides.train, fold), trained, tested, classes, config.grid);
      },
      [&](const Sides& sides, const Split& split, std::size_t, double c, LinearReadout& result) {
        const LinearSvm svm = fit_linear_svm(stream, sides.train, taken(labels, split.train), classes, {.c = c});
        result.not_converged += svm.not_converged;
        return accuracy(decision_values(stream, svm, sides.test), taken(labels, split.test));
      });
}

template <class T>
LinearReadout regress_readout(const CpuStream& stream, const Source<T>& features, MatrixView<double> targets,
                              std::span<const Split> splits, const LinearReadoutConfig& config) {
  if (features.stimuli() != targets.rows || targets.columns < 1) {
    throw InputError("a linear readout of " + std::to_string(features.stimuli()) + " images with targets " +
                     std::to_string(targets.rows) + " x " + std::to_string(targets.columns));
  }
  require_config(config, splits, features.stimuli());
  Matrix<double> output_scores(std::ssize(splits), targets.columns);
  LinearReadout result = Run(splits, config)(
      [&](const Split& split) { return sides_of(stream, features, split, config.components); },
      [&](const Split& split) { return contiguous_folds(std::ssize(split.train), config.folds); },
      [&](const Sides& sides, const Split& split, const Split& fold) {
        const Matrix<double> y = take_rows(targets, Indices(split.train));
        const Matrix<double> truth = take_rows(y.view(), Indices(fold.test));
        std::vector<double> scores(config.grid.size());
        for_each_ridge(
            stream, fold_of(sides.train, fold), take_rows(y.view(), Indices(fold.train)), config.grid,
            [&](std::size_t g, const Matrix<double>& predicted) { scores[g] = r_squared(predicted, truth); });
        return scores;
      },
      [&](const Sides& sides, const Split& split, std::size_t s, double c, LinearReadout& partial) {
        double sum = 0.0;
        int count = 0;
        for_each_ridge(stream, sides, take_rows(targets, Indices(split.train)), std::span(&c, 1),
                       [&](std::size_t, const Matrix<double>& predicted) {
                         const Matrix<double> truth = take_rows(targets, Indices(split.test));
                         const std::vector<double> r = column_pearson<double>(predicted, truth);
                         std::ranges::copy(r, output_scores.row(static_cast<std::int64_t>(s)).begin());
                         for (const double value : r) {
                           if (std::isnan(value)) {
                             ++partial.outputs_left_out;
                           } else {
                             sum += value;
                             ++count;
                           }
                         }
                       });
        return sum / count;  // NaN without any
      });
  if (result.complete) result.output_scores = std::move(output_scores);
  return result;
}

template LinearReadout classify_readout(const CpuStream&, const Source<float>&, std::span<const std::int32_t>, int,
                                        std::span<const Split>, const LinearReadoutConfig&);
template LinearReadout classify_readout(const CpuStream&, const Source<double>&, std::span<const std::int32_t>, int,
                                        std::span<const Split>, const LinearReadoutConfig&);
template LinearReadout regress_readout(const CpuStream&, const Source<float>&, MatrixView<double>,
                                       std::span<const Split>, const LinearReadoutConfig&);
template LinearReadout regress_readout(const CpuStream&, const Source<double>&, MatrixView<double>,
                                       std::span<const Split>, const LinearReadoutConfig&);

}  // namespace chiasm
