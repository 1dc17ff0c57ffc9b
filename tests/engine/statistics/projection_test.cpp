// SPDX-License-Identifier: Apache-2.0
// Principal components and random projections.
#include "engine/statistics/projection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"

namespace chiasm::test {
namespace {

Tensor as_float(const Tensor& tensor) {
  Tensor result(Spec{DType::kFloat32, tensor.shape()});
  for (std::size_t i = 0; i < result.values<float>().size(); ++i) {
    result.values<float>()[i] = static_cast<float>(tensor.values<double>()[i]);
  }
  return result;
}

Tensor normal_rows(std::int64_t rows, std::int64_t features, std::uint64_t seed) {
  const RandomStream random({.seed = seed});
  Tensor tensor(Spec{DType::kFloat32, {rows, features}});
  for (std::size_t i = 0; i < tensor.values<float>().size(); ++i) {
    tensor.values<float>()[i] = static_cast<float>(random.normal(i));
  }
  return tensor;
}

Tensor project(const Projection& projection, const Tensor& x) {
  Tensor y(Spec{DType::kFloat32, {x.shape()[0], projection.outputs()}});
  projection.apply(CpuStream(1), std::vector<View>{x.view()}, std::vector<MutableView>{y.view()});
  return y;
}

TEST(Pca, AgreesWithScikitLearn) {
  const Golden golden("pca");
  for (const std::string name : {"tall", "wide"}) {
    const Tensor rows = as_float(golden.at(name + "/rows"));
    const Tensor& components = golden.at(name + "/components");
    const Pca pca = fit_pca(CpuStream(2), rows, components.shape()[0]);
    EXPECT_TRUE(near(pca.mean.view(), golden.at(name + "/mean").view(), {1e-13, 0.0}));
    // Stored as float32; the eigenvectors themselves agree to 1e-13 over the relative gaps of the eigenvalues.
    EXPECT_TRUE(near(pca.components.view(), components.view(), {1e-6, 0.0})) << name;
    for (std::size_t k = 0; k < pca.explained_variance.size(); ++k) {
      const double expected = golden.at(name + "/variance").values<double>()[k];
      EXPECT_NEAR(pca.explained_variance[k], expected, 1e-11 * expected) << name << k;
    }
    const double total = golden.at(name + "/total").values<double>()[0];
    EXPECT_NEAR(pca.total_variance, total, 1e-12 * total);
    // float32 products of at most 25 terms.
    EXPECT_TRUE(near(project(Projection(pca), rows).view(), golden.at(name + "/projected").view(),
                     rounding_tolerance(DType::kFloat32, 8.0, 25.0)));
  }
}

// More rows and features than a block and a tile, both ways round.
TEST(Pca, ComponentsAreOrthonormalWhateverTheThreads) {
  for (const auto& [n, features] : {std::pair(150, 1100), std::pair(1100, 150)}) {
    const Tensor rows = normal_rows(n, features, 3);
    const Pca pca = fit_pca(CpuStream(1), rows, 20);
    ASSERT_EQ(pca.components.shape(), (Shape{20, features}));
    EXPECT_TRUE(bit_equal(fit_pca(CpuStream(2), rows, 20).components.view(), pca.components.view()));
    for (int a = 0; a < 20; ++a) {
      for (int b = 0; b <= a; ++b) {
        double dot = 0.0;
        for (std::int64_t i = 0; i < features; ++i) {
          dot += double{pca.components.values<float>()[a * features + i]} *
                 pca.components.values<float>()[b * features + i];
        }
        EXPECT_NEAR(dot, a == b ? 1.0 : 0.0, 1e-7);  // components are rounded to float32
      }
      if (a > 0) {
        EXPECT_LE(pca.explained_variance[a], pca.explained_variance[a - 1]);
      }
    }
    // The variance along a component is its eigenvalue.
    const Tensor y = project(Projection(pca), rows);
    double square = 0.0;
    for (std::int64_t i = 0; i < n; ++i) square += std::pow(double{y.values<float>()[i * 20 + 7]}, 2) / (n - 1);
    EXPECT_NEAR(square, pca.explained_variance[7], 1e-5 * square);
  }
}

TEST(Pca, LeavesOutDirectionsWithoutVariance) {
  Tensor rows = normal_rows(40, 6, 9);
  for (std::int64_t i = 0; i < 40; ++i) {  // rank 2
    for (std::int64_t k = 2; k < 6; ++k) rows.values<float>()[i * 6 + k] = rows.values<float>()[i * 6 + k % 2];
  }
  EXPECT_EQ(fit_pca(CpuStream(1), rows, 5).explained_variance.size(), 2U);
  EXPECT_EQ(fit_pca(CpuStream(1), normal_rows(4, 9, 1), 9).explained_variance.size(), 3U);  // n - 1
  EXPECT_THROW(fit_pca(CpuStream(1), Tensor::zeros(DType::kFloat32, {5, 3}), 2), InputError);
  EXPECT_THROW(fit_pca(CpuStream(1), normal_rows(1, 3, 1), 2), InputError);
}

// What is stored and what is made piece by piece is the same matrix, and entries have the variance they should.
TEST(RandomProjection, IsTheSameStoredOrNot) {
  const Tensor x = normal_rows(3, 5000, 2);
  const Projection stored(4, "conv1", 5000, 300), made(4, "conv1", 5000, 300, 0);
  EXPECT_TRUE(bit_equal(project(stored, x).view(), project(made, x).view()));
  std::vector<float> matrix(5000 * 300), part(7 * 300);
  stored.matrix_rows(CpuStream(1), 0, 5000, matrix.data());
  made.matrix_rows(CpuStream(2), 1234, 7, part.data());
  EXPECT_TRUE(std::equal(part.begin(), part.end(), matrix.begin() + 1234 * 300));
  double sum = 0.0, square = 0.0;
  for (float value : matrix) {
    sum += value;
    square += double{value} * value;
  }
  // 1.5 million entries: five standard errors of the mean and of the variance (2 sigma^4 / n).
  const double n = 1.5e6, variance = 1.0 / 300;
  EXPECT_NEAR(sum / n, 0.0, 5 * std::sqrt(variance / n));
  EXPECT_NEAR(square / n, variance, 5 * variance * std::sqrt(2.0 / n));
  EXPECT_FALSE(bit_equal(project(Projection(4, "conv2", 5000, 300), x).view(), project(stored, x).view()));
  EXPECT_FALSE(bit_equal(project(Projection(5, "conv1", 5000, 300), x).view(), project(stored, x).view()));
}

// Squared distances keep within 1 +- e with probability 1 - 2 exp(-k (e^2 / 4 - e^3 / 6)) each (Dasgupta and Gupta
// 2003): for k = 800, e = 0.35 and the 190 pairs of 20 rows, all of them but for 1e-5.
TEST(RandomProjection, KeepsDistances) {
  const Tensor x = normal_rows(20, 3000, 8);
  const Tensor y = project(Projection(1, "layer", 3000, 800), x);
  const auto distance = [](const Tensor& t, std::int64_t a, std::int64_t b) {
    double sum = 0.0;
    const std::int64_t width = t.shape()[1];
    for (std::int64_t k = 0; k < width; ++k) {
      sum += std::pow(double{t.values<float>()[a * width + k]} - t.values<float>()[b * width + k], 2);
    }
    return sum;
  };
  for (std::int64_t a = 0; a < 20; ++a) {
    for (std::int64_t b = 0; b < a; ++b) EXPECT_NEAR(distance(y, a, b) / distance(x, a, b), 1.0, 0.35);
  }
}

}  // namespace
}  // namespace chiasm::test
