// SPDX-License-Identifier: Apache-2.0
#include "engine/statistics/pca.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace chiasm {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kLeastVariance = 1e-10;  // of the largest
// Features, or rows, that are centred and multiplied at once, and the side of the tiles of a product, each of which one
// thread computes. Fixed, so that results do not depend on the threads.
constexpr std::int64_t kBlock = 1024;
constexpr std::int64_t kTile = 128;

// rows [begin_row, +count_rows) x features [begin, +count], centred.
Matrix centred(const Tensor& rows, const Tensor& mean, std::int64_t first_row, std::int64_t count_rows,
               std::int64_t first, std::int64_t count) {
  const std::int64_t features = rows.shape()[1];
  Matrix block(count_rows, count);
  for (std::int64_t i = 0; i < count_rows; ++i) {
    const float* x = rows.values<float>().data() + (first_row + i) * features + first;
    for (std::int64_t k = 0; k < count; ++k) {
      block(i, k) = static_cast<double>(x[k]) - mean.values<double>()[static_cast<std::size_t>(first + k)];
    }
  }
  return block;
}

// sum += a * a^T, the lower triangle.
void add_products(const CpuStream& stream, const Matrix& a, Matrix& sum) {
  const std::int64_t side = a.rows();
  stream.parallel_tasks((side + kTile - 1) / kTile, [&](std::int64_t tile) {
    const std::int64_t begin = tile * kTile, count = std::min(kTile, side - begin);
    sum.block(begin, 0, count, begin + count).noalias() +=
        a.middleRows(begin, count) * a.topRows(begin + count).transpose();
  });
}

Tensor mean_of(const Tensor& rows) {
  const std::int64_t n = rows.shape()[0], features = rows.shape()[1];
  Tensor mean(Spec{DType::kFloat64, {features}});
  double* const m = mean.values<double>().data();
  for (std::int64_t i = 0; i < n; ++i) {
    const float* x = rows.values<float>().data() + i * features;
    for (std::int64_t k = 0; k < features; ++k) m[k] += static_cast<double>(x[k]);
  }
  for (std::int64_t k = 0; k < features; ++k) m[k] /= static_cast<double>(n);
  return mean;
}

// Turns a component so that its largest loading is positive.
template <class Column>
void fix_sign(Column&& component) {
  Eigen::Index largest = 0;
  component.cwiseAbs().maxCoeff(&largest);
  if (component(largest) < 0.0) component = -component;
}

}  // namespace

Pca fit_pca(const CpuStream& stream, const Tensor& rows, std::int64_t components) {
  const std::int64_t n = rows.shape()[0], features = rows.shape()[1];
  if (n < 2) throw InputError("principal components need two samples or more, found " + std::to_string(n));
  Pca pca;
  pca.mean = mean_of(rows);
  const bool gram = n < features;
  const std::int64_t side = std::min(n, features), along = std::max(n, features);
  Matrix products = Matrix::Zero(side, side);
  for (std::int64_t begin = 0; begin < along; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, along - begin);
    if (gram) {
      add_products(stream, centred(rows, pca.mean, 0, n, begin, count), products);
    } else {
      add_products(stream, centred(rows, pca.mean, begin, count, 0, features).transpose(), products);
    }
  }
  products /= static_cast<double>(n - 1);
  pca.total_variance = products.trace();
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(products);  // reads the lower triangle
  if (solver.info() != Eigen::Success) throw NumericalError("pca", "the eigenvalues of a covariance did not converge");
  const auto& values = solver.eigenvalues();  // ascending
  const double largest = values(side - 1);
  if (!(largest > 0.0)) throw InputError("principal components of samples that are all equal");
  std::int64_t count = std::min({components, side, n - 1});
  while (count > 1 && !(values(side - count) > kLeastVariance * largest)) --count;
  for (std::int64_t k = 0; k < count; ++k) pca.explained_variance.push_back(values(side - 1 - k));

  // [side, count], the largest first.
  Matrix vectors = solver.eigenvectors().rightCols(count).rowwise().reverse();
  Matrix loadings(features, gram ? count : 0);
  if (gram) {
    for (std::int64_t k = 0; k < count; ++k) {
      vectors.col(k) /= std::sqrt(pca.explained_variance[static_cast<std::size_t>(k)] * static_cast<double>(n - 1));
    }
    stream.parallel_tasks((features + kBlock - 1) / kBlock, [&](std::int64_t block) {
      const std::int64_t begin = block * kBlock, width = std::min(kBlock, features - begin);
      loadings.middleRows(begin, width).noalias() = centred(rows, pca.mean, 0, n, begin, width).transpose() * vectors;
    });
  } else {
    loadings = std::move(vectors);
  }
  pca.components = Tensor(Spec{DType::kFloat32, {count, features}});
  for (std::int64_t k = 0; k < count; ++k) {
    fix_sign(loadings.col(k));
    float* const out = pca.components.values<float>().data() + k * features;
    for (std::int64_t i = 0; i < features; ++i) out[i] = static_cast<float>(loadings(i, k));
  }
  return pca;
}

}  // namespace chiasm
