// SPDX-License-Identifier: Apache-2.0
#include "engine/statistics/pca.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "kernels/error.h"
#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

constexpr double kLeastVariance = 1e-10;  // of the largest
// Features, or rows, that are centred and multiplied at once, and the rows of a product that one thread computes.
// Fixed, so that results do not depend on the threads.
constexpr std::int64_t kBlock = 1024;
constexpr std::int64_t kTile = 128;
constexpr std::int64_t kGrain = 16;  // rows that one thread centres

std::int64_t blocks_of(std::int64_t count, std::int64_t block) { return (count + block - 1) / block; }

// rows [begin_row, +count_rows) x features [begin, +count], centred.
std::vector<double> centred(const CpuStream& stream, const Tensor& rows, const Tensor& mean, std::int64_t first_row,
                            std::int64_t count_rows, std::int64_t first, std::int64_t count) {
  const std::int64_t features = rows.shape()[1];
  const double* const m = mean.values<double>().data() + first;
  std::vector<double> block(static_cast<std::size_t>(count_rows * count));
  stream.parallel_for(count_rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = rows.values<float>().data() + (first_row + i) * features + first;
      for (std::int64_t k = 0; k < count; ++k) block[i * count + k] = static_cast<double>(x[k]) - m[k];
    }
  });
  return block;
}

// sum [side, side] += a a', the lower triangle; a is [side, along] or, transposed, lies as [along, side].
void add_products(const CpuStream& stream, const std::vector<double>& a, bool transposed, std::int64_t side,
                  std::vector<double>& sum) {
  const std::int64_t along = std::ssize(a) / side, tiles = blocks_of(side, kTile), stride = transposed ? side : along;
  stream.parallel_tasks(tiles, [&](std::int64_t task) {
    const std::int64_t begin = (tiles - 1 - task) * kTile, count = std::min(kTile, side - begin);  // long ones first
    gemm<double>(CpuStream(1), count, begin + count, along,
                 {a.data() + begin * (transposed ? 1 : stride), stride, transposed}, {a.data(), stride, !transposed},
                 1.0, sum.data() + begin * side, side);
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

// Of equal ones the first.
double largest_loading(std::span<const double> loadings) {
  return *std::ranges::max_element(loadings, {}, [](double v) { return std::abs(v); });
}

// Writes loadings of features [first, ...) as float32 and returns the largest of each component.
std::vector<double> store(const std::vector<double>& loadings, std::int64_t first, std::int64_t count,
                          Tensor& components) {
  const std::int64_t features = components.shape()[1], width = std::ssize(loadings) / count;
  std::vector<double> largest;
  for (std::int64_t k = 0; k < count; ++k) {
    const std::span<const double> own(loadings.data() + k * width, static_cast<std::size_t>(width));
    largest.push_back(largest_loading(own));
    float* const out = components.values<float>().data() + k * features + first;
    std::ranges::transform(own, out, [](double v) { return static_cast<float>(v); });
  }
  return largest;
}

}  // namespace

Pca fit_pca(const CpuStream& stream, const Tensor& rows, std::int64_t components) {
  const std::int64_t n = rows.shape()[0], features = rows.shape()[1];
  if (n < 2) throw InputError("principal components need two samples or more, found " + std::to_string(n));
  Pca pca;
  pca.mean = mean_of(rows);
  const bool gram = n < features;
  const std::int64_t side = std::min(n, features), along = std::max(n, features);
  std::vector<double> vectors(static_cast<std::size_t>(side * side));
  for (std::int64_t begin = 0; begin < along; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, along - begin);
    const std::vector<double> block = gram ? centred(stream, rows, pca.mean, 0, n, begin, count)
                                           : centred(stream, rows, pca.mean, begin, count, 0, features);
    add_products(stream, block, !gram, side, vectors);
  }
  for (double& product : vectors) product /= static_cast<double>(n - 1);
  for (std::int64_t i = 0; i < side; ++i) pca.total_variance += vectors[i * side + i];
  std::vector<double> values(static_cast<std::size_t>(side));  // ascending
  symmetric_eigen(side, vectors.data(), values.data());
  const double largest = values.back();
  if (!(largest > 0.0)) throw InputError("principal components of samples that are all equal");
  std::int64_t count = std::min({components, side, n - 1});
  while (count > 1 && !(values[side - count] > kLeastVariance * largest)) --count;

  // Rows, the largest first. From inner products, a loading is a sum over rows of the data.
  std::vector<double> top(static_cast<std::size_t>(count * side));
  for (std::int64_t k = 0; k < count; ++k) {
    const double variance = values[side - 1 - k];
    pca.explained_variance.push_back(variance);
    const double factor = gram ? 1.0 / std::sqrt(variance * static_cast<double>(n - 1)) : 1.0;
    std::transform(vectors.begin() + (side - 1 - k) * side, vectors.begin() + (side - k) * side, top.begin() + k * side,
                   [factor](double v) { return factor * v; });
  }
  pca.components = Tensor(Spec{DType::kFloat32, {count, features}});
  std::vector<std::vector<double>> most(static_cast<std::size_t>(gram ? blocks_of(features, kBlock) : 1));
  if (gram) {
    stream.parallel_tasks(std::ssize(most), [&](std::int64_t block) {
      const std::int64_t begin = block * kBlock, width = std::min(kBlock, features - begin);
      const CpuStream one(1);
      const std::vector<double> x = centred(one, rows, pca.mean, 0, n, begin, width);
      std::vector<double> loadings(static_cast<std::size_t>(count * width));
      gemm<double>(one, count, width, n, {top.data(), n}, {x.data(), width}, 0.0, loadings.data(), width);
      most[block] = store(loadings, begin, count, pca.components);
    });
  } else {
    most[0] = store(top, 0, count, pca.components);
  }
  for (std::int64_t k = 0; k < count; ++k) {
    std::vector<double> of_blocks;
    for (const std::vector<double>& block : most) of_blocks.push_back(block[k]);
    if (largest_loading(of_blocks) >= 0.0) continue;
    float* const own = pca.components.values<float>().data() + k * features;
    std::transform(own, own + features, own, std::negate());
  }
  return pca;
}

}  // namespace chiasm
