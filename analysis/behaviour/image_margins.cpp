// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/image_margins.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "analysis/behaviour/dense.h"
#include "analysis/behaviour/linear_svm.h"
#include "analysis/behaviour/squared_hinge.h"
#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

// Components with less variance than this, of the largest, are rounding.
constexpr double kLeastVariance = 1e-13;
// Directions with less than this, of the largest image, do not count as directions in which images vary.
constexpr double kFewDirections = 1e-11;

std::vector<std::int32_t> labels_of(std::span<const std::int64_t> images, std::span<const std::int32_t> labels) {
  std::vector<std::int32_t> taken;
  for (const std::int64_t i : images) taken.push_back(labels[static_cast<std::size_t>(i)]);
  require_classes(taken, *std::ranges::max_element(labels) + 1, "the training images of a split");
  return taken;
}

// Solves for each class in turn, starting from `near` unless it is null; keep(k, coefficients).
template <class Keep>
int fit_classes(const HingeProblem& problem, std::span<const std::int64_t> train, std::span<const std::int32_t> labels,
                int classes, const Matrix<double>* near, Keep&& keep) {
  int not_converged = 0;
  for (int k = 0; k < classes; ++k) {
    std::vector<bool> positive(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) positive[i] = labels[i] == k;
    std::vector<double> start;
    for (std::size_t i = 0; near != nullptr && i < train.size(); ++i) start.push_back((*near)(train[i], k));
    const HingeSolution solution = problem.solve(positive, start);
    if (!solution.converged) ++not_converged;
    keep(k, solution.coefficients);
  }
  return not_converged;
}

// features [images, p], the last of which is the constant 1.
ImageMargins fit_rows(const Matrix<double>& features, std::span<const std::int64_t> train,
                      std::span<const std::int32_t> labels, int classes, double c, const Matrix<double>* near) {
  const Matrix<double> rows = take_rows(features.view(), train);
  const HingeRows products(rows);
  Matrix<double> weights(classes, rows.columns());
  ImageMargins fitted{Matrix<double>(features.rows(), classes), 0};
  fitted.not_converged =
      fit_classes(*HingeProblem::of_rows(products, c), train, labels, classes, near,
                  [&](int k, const std::vector<double>& w) { std::ranges::copy(w, weights.row(k).begin()); });
  gemm(CpuStream(1), features.rows(), classes, rows.columns(), {features.data(), rows.columns(), false},
       {weights.data(), rows.columns(), true}, 0.0, fitted.margins.data(), classes);
  return fitted;
}

// Of a symmetric matrix: the `wanted` eigenvectors of largest eigenvalue, by rows, and the values, largest first.
struct Eigen {
  Matrix<double> vectors;
  std::vector<double> values;
};
Eigen largest_eigen(Matrix<double> matrix, std::int64_t wanted) {
  const std::int64_t n = matrix.rows();
  std::vector<double> values(static_cast<std::size_t>(n));
  symmetric_eigen(n, matrix.data(), values.data());
  std::vector<std::int64_t> order;
  Eigen eigen;
  for (std::int64_t k = n - 1; k >= n - wanted && values[static_cast<std::size_t>(k)] > kLeastVariance * values.back();
       --k) {
    order.push_back(k);
    eigen.values.push_back(values[static_cast<std::size_t>(k)]);
  }
  eigen.vectors = take_rows(matrix.view(), order);
  return eigen;
}

Matrix<double> with_ones(MatrixView<double> x) {
  Matrix<double> wider(x.rows, x.columns + 1);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    std::ranges::copy(x.row(i), wider.row(i).begin());
    wider(i, x.columns) = 1.0;
  }
  return wider;
}

class RowMargins final : public MarginModel {
 public:
  explicit RowMargins(Matrix<double> features) : features_(std::move(features)) {}

  ImageMargins fit(std::span<const std::int64_t> train, std::span<const std::int32_t> labels, int classes,
                   std::int64_t components, double c, const Matrix<double>* near) const override {
    const std::vector<std::int32_t> trained = labels_of(train, labels);
    const std::int64_t units = features_.columns(), images = std::ssize(train);
    std::vector<double> mean(static_cast<std::size_t>(units));
    for (const std::int64_t i : train) {
      for (std::int64_t k = 0; k < units; ++k) mean[static_cast<std::size_t>(k)] += features_(i, k);
    }
    for (double& m : mean) m /= static_cast<double>(images);
    Matrix<double> centred = features_;
    for (std::int64_t i = 0; i < centred.rows(); ++i) {
      for (std::int64_t k = 0; k < units; ++k) centred(i, k) -= mean[static_cast<std::size_t>(k)];
    }
    if (components >= std::min(units, images - 1))
      return fit_rows(with_ones(centred), train, trained, classes, c, near);
    const Matrix<double> rows = take_rows(centred.view(), train);
    Matrix<double> covariance(units, units);
    gemm(CpuStream(1), units, units, images, {rows.data(), units, true}, {rows.data(), units, false}, 0.0,
         covariance.data(), units);
    const Eigen eigen = largest_eigen(std::move(covariance), components);
    const std::int64_t kept = eigen.vectors.rows();
    Matrix<double> scores(centred.rows(), kept);
    gemm(CpuStream(1), centred.rows(), kept, units, {centred.data(), units, false}, {eigen.vectors.data(), units, true},
         0.0, scores.data(), kept);
    return fit_rows(with_ones(scores), train, trained, classes, c, near);
  }

 private:
  Matrix<double> features_;
};

class GramMargins final : public MarginModel {
 public:
  GramMargins(Matrix<double> gram) : gram_(std::move(gram)) {}

  ImageMargins fit(std::span<const std::int64_t> train, std::span<const std::int32_t> labels, int classes,
                   std::int64_t components, double c, const Matrix<double>* near) const override {
    const std::vector<std::int32_t> trained = labels_of(train, labels);
    const std::int64_t images = gram_.rows(), count = std::ssize(train);
    // <x_i - m, x_k - m> = G_ik - g_i - g_k + g, m the mean of `train`.
    std::vector<double> to_mean(static_cast<std::size_t>(images));
    for (const std::int64_t t : train) {
      const auto row = gram_.row(t);
      for (std::size_t i = 0; i < to_mean.size(); ++i) to_mean[i] += row[i];
    }
    for (double& g : to_mean) g /= static_cast<double>(count);
    const std::vector<double> trained_to_mean = dense::take(to_mean, train);
    const double mean_to_mean = std::accumulate(trained_to_mean.begin(), trained_to_mean.end(), 0.0) / count;
    const bool rotation = components >= count - 1;
    const double constant = mean_to_mean + (rotation ? 1.0 : 0.0);  // with the product of the intercept's feature
    Matrix<double> centred(count, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto row = gram_.row(train[static_cast<std::size_t>(i)]);
      const double shift = constant - trained_to_mean[static_cast<std::size_t>(i)];
      for (std::int64_t k = 0; k < count; ++k) {
        const auto at = static_cast<std::size_t>(k);
        centred(i, k) = row[static_cast<std::size_t>(train[at])] - trained_to_mean[at] + shift;
      }
    }
    if (!rotation)
      return fit_components(std::move(centred), train, trained, classes, components, c, near, to_mean, mean_to_mean);

    Matrix<double> betas(images, classes);  // zero outside of `train`
    ImageMargins fitted{Matrix<double>(images, classes), 0};
    std::vector<double> offsets(static_cast<std::size_t>(classes)), sums(static_cast<std::size_t>(classes));
    fitted.not_converged = fit_classes(*HingeProblem::of_gram(centred, c), train, trained, classes, near,
                                       [&](int k, const std::vector<double>& beta) {
                                         const auto at = static_cast<std::size_t>(k);
                                         for (std::size_t i = 0; i < beta.size(); ++i) {
                                           betas(train[i], k) = beta[i];
                                           sums[at] += beta[i];
                                           offsets[at] += beta[i] * (constant - trained_to_mean[i]);
                                         }
                                       });
    gemm(CpuStream(1), images, classes, images, {gram_.data(), images, false}, {betas.data(), classes, false}, 0.0,
         fitted.margins.data(), classes);
    for (std::int64_t i = 0; i < images; ++i) {
      for (std::size_t k = 0; k < sums.size(); ++k) {
        fitted.margins.row(i)[k] += offsets[k] - to_mean[static_cast<std::size_t>(i)] * sums[k];
      }
    }
    return fitted;
  }

 private:
  // Scores of component e: K v / sqrt(lambda), K the centred products of all images with those of training.
  ImageMargins fit_components(Matrix<double> centred, std::span<const std::int64_t> train,
                              std::span<const std::int32_t> trained, int classes, std::int64_t components, double c,
                              const Matrix<double>* near, std::span<const double> to_mean, double mean_to_mean) const {
    const std::int64_t images = gram_.rows(), count = std::ssize(train);
    Eigen eigen = largest_eigen(std::move(centred), components);
    const std::int64_t kept = eigen.vectors.rows();
    for (std::int64_t e = 0; e < kept; ++e) {
      for (double& v : eigen.vectors.row(e)) v /= std::sqrt(eigen.values[static_cast<std::size_t>(e)]);
    }
    Matrix<double> products(images, count);
    for (std::int64_t i = 0; i < images; ++i) {
      for (std::size_t k = 0; k < train.size(); ++k) {
        products.row(i)[k] = gram_(i, train[k]) - to_mean[static_cast<std::size_t>(i)] -
                             to_mean[static_cast<std::size_t>(train[k])] + mean_to_mean;
      }
    }
    Matrix<double> scores(images, kept);
    gemm(CpuStream(1), images, kept, count, {products.data(), count, false}, {eigen.vectors.data(), count, true}, 0.0,
         scores.data(), kept);
    return fit_rows(with_ones(scores), train, trained, classes, c, near);
  }

  Matrix<double> gram_;
};

// The images in fewer coordinates than there are of them, from their inner products about their mean, where they vary
// in clearly fewer directions (silent units, or copies of others); else nothing.
std::optional<Matrix<double>> fewer_coordinates(const Matrix<double>& gram) {
  const std::int64_t n = gram.rows();
  double largest = 0.0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, gram(i, i));
  if (!(largest > 0.0)) return Matrix<double>(n, 1);
  // Eigenvalues k of the products, of which the one of the mean is 0 and is filled: sum of r / (k + r).
  const double ridge = kFewDirections * largest;
  Matrix<double> inverse = gram;
  for (double& product : inverse.values()) product += largest / static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i) inverse(i, i) += ridge;
  dense::invert_positive(inverse);
  double missing = 0.0;
  for (std::int64_t i = 0; i < n; ++i) missing += ridge * inverse(i, i);
  if (missing < 0.1 * static_cast<double>(n)) return std::nullopt;
  Eigen eigen = largest_eigen(gram, n);
  for (std::int64_t k = 0; k < eigen.vectors.rows(); ++k) {
    for (double& v : eigen.vectors.row(k)) v *= std::sqrt(eigen.values[static_cast<std::size_t>(k)]);
  }
  return transposed(eigen.vectors.view());
}

}  // namespace

template <class T>
std::unique_ptr<const MarginModel> make_margin_model(const CpuStream& stream, const Source<T>& features) {
  if (features.units() >= features.stimuli()) {
    const Matrix<double>& gram = features.gram(stream);
    if (std::optional<Matrix<double>> rows = fewer_coordinates(gram))
      return std::make_unique<RowMargins>(*std::move(rows));
    return std::make_unique<GramMargins>(gram);
  }
  const Matrix<T>& values = features.values(stream);
  return std::make_unique<RowMargins>(
      Matrix<double>(values.rows(), values.columns(), {values.values().begin(), values.values().end()}));
}

template std::unique_ptr<const MarginModel> make_margin_model(const CpuStream&, const Source<float>&);
template std::unique_ptr<const MarginModel> make_margin_model(const CpuStream&, const Source<double>&);

}  // namespace chiasm
