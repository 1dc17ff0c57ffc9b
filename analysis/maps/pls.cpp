// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/pls.h"

#include <cassert>
#include <cmath>
#include <limits>

#include "analysis/maps/pls_iteration.h"
#include "analysis/maps/products.h"
#include "analysis/maps/vector_products.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

constexpr std::int64_t kRows = 256;  // of features that are converted for one product in double
constexpr std::int64_t kGrain = 16;  // rows that one thread centres

std::vector<double> scales_of(const ColumnMoments& moments, std::int64_t rows, bool scale) {
  std::vector<double> scales(moments.mean.size(), 1.0);
  if (!scale || rows < 2) return scales;
  for (std::size_t k = 0; k < scales.size(); ++k) {
    if (moments.squares[k] > 0.0) scales[k] = std::sqrt(moments.squares[k] / static_cast<double>(rows - 1));
  }
  return scales;
}

// out = (x - mean) / scale by columns; out may be x.
template <class T, class Out>
void centre(const CpuStream& stream, MatrixView<T> x, const std::vector<double>& mean, const std::vector<double>& scale,
            Matrix<Out>& out) {
  stream.parallel_for(x.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* from = x.data + i * x.stride;
      Out* to = out.row(i).data();
      for (std::int64_t k = 0; k < x.columns; ++k) {
        to[k] = static_cast<Out>((static_cast<double>(from[k]) - mean[k]) / scale[k]);
      }
    }
  });
}

// X'Y in double.
template <class T>
Matrix<double> covariance(const CpuStream& stream, const Matrix<T>& x, const Matrix<double>& y) {
  const std::int64_t p = x.columns(), q = y.columns();
  Matrix<double> s(p, q);
  if constexpr (std::is_same_v<T, double>) {
    gemm<double>(stream, p, q, x.rows(), {x.data(), p, true}, {y.data(), q}, 0.0, s.data(), q);
  } else {
    for (std::int64_t begin = 0; begin < x.rows(); begin += kRows) {
      const std::int64_t count = std::min(kRows, x.rows() - begin);
      const std::vector<double> block(x.row(begin).data(), x.row(begin).data() + count * p);
      gemm<double>(stream, p, q, count, {block.data(), p, true}, {y.row(begin).data(), q}, begin == 0 ? 0.0 : 1.0,
                   s.data(), q);
    }
  }
  return s;
}

}  // namespace

template <class T>
PlsFeatures<T> pls_features(const CpuStream& stream, Matrix<T> x, bool scale) {
  PlsFeatures<T> features{.values = std::move(x)};
  ColumnMoments moments = column_moments<T>(stream, features.values);
  features.scale = scales_of(moments, features.values.rows(), scale);
  features.mean = std::move(moments.mean);
  for (std::size_t k = 0; k < moments.squares.size(); ++k) {
    features.squared_norm += moments.squares[k] / (features.scale[k] * features.scale[k]);
  }
  centre<T, T>(stream, features.values, features.mean, features.scale, features.values);
  return features;
}

template <class T>
PlsFit fit_pls(const CpuStream& stream, const PlsFeatures<T>& x, MatrixView<T> y, const PlsOptions& options) {
  const Matrix<T>& features = x.values;
  assert(features.rows() == y.rows && y.rows > 0);
  const CpuStream fixed(stream.threads(), true);
  Standardised targets = standardise(fixed, y, options.scale);
  const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  PlsSpace space{.side = features.columns(),
                 .squared_norm = x.squared_norm,
                 .least = 64.0 * static_cast<double>(y.rows) * epsilon * epsilon};
  space.covariance = [&](const Matrix<double>& left) { return covariance(fixed, features, left); };
  space.scores = [&](std::span<const double> w, std::span<double> t) { multiply_columns<T>(fixed, features, w, t); };
  space.loading = [&](std::span<const double> t, std::span<double> u) { multiply_rows<T>(fixed, features, t, u); };
  PlsComponents found = iterate_pls(fixed, space, std::move(targets.values), options);
  return {.x_mean = x.mean,
          .x_scale = x.scale,
          .y_mean = std::move(targets.mean),
          .y_scale = std::move(targets.scale),
          .weights = as_columns(found.weights, features.columns()),
          .loadings = as_columns(found.loadings, features.columns()),
          .rotations = as_columns(found.rotations, features.columns()),
          .scores = as_columns(found.scores, y.rows),
          .y_loadings = as_columns(found.y_loadings, y.columns),
          .rounds = std::move(found.rounds)};
}

Matrix<double> PlsFit::coefficients(const CpuStream& stream, int components) const {
  assert(components >= 0 && components <= this->components());
  const std::int64_t p = rotations.rows(), q = y_loadings.rows(), stride = rotations.columns();
  Matrix<double> b(p, q);
  gemm<double>(CpuStream(stream.threads(), true), p, q, components, {rotations.data(), stride},
               {y_loadings.data(), stride, true}, 0.0, b.data(), q);
  for (std::int64_t i = 0; i < p; ++i) {
    for (std::int64_t k = 0; k < q; ++k) b(i, k) *= y_scale[k] / x_scale[i];
  }
  return b;
}

std::vector<double> PlsFit::intercept(int components) const {
  // mean y - (mean x R) C', from the left.
  const std::int64_t p = rotations.rows(), q = y_loadings.rows();
  std::vector<double> mean(x_mean.size()), along(static_cast<std::size_t>(rotations.columns())), result = y_mean;
  for (std::int64_t i = 0; i < p; ++i) mean[i] = x_mean[i] / x_scale[i];
  multiply_rows<double>(CpuStream(1), rotations, mean, along);
  for (std::int64_t k = 0; k < q; ++k) {
    for (int c = 0; c < components; ++c) result[k] -= y_scale[k] * along[c] * y_loadings(k, c);
  }
  return result;
}

template <class T>
Matrix<T> PlsFit::predict(const CpuStream& stream, MatrixView<T> x, int components) const {
  assert(components >= 0 && components <= this->components());
  const CpuStream fixed(stream.threads(), true);
  const std::int64_t q = y_loadings.rows(), stride = rotations.columns();
  Matrix<T> predictions(x.rows, q);
  for (std::int64_t begin = 0; begin < x.rows; begin += kRows) {
    const std::int64_t rows = std::min(kRows, x.rows - begin);
    Matrix<double> block(rows, x.columns), t(rows, components), y(rows, q);
    centre<T, double>(fixed, {x.data + begin * x.stride, rows, x.columns, x.stride}, x_mean, x_scale, block);
    gemm<double>(fixed, rows, components, x.columns, {block.data(), x.columns}, {rotations.data(), stride}, 0.0,
                 t.data(), components);
    gemm<double>(fixed, rows, q, components, {t.data(), components}, {y_loadings.data(), stride, true}, 0.0, y.data(),
                 q);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t k = 0; k < q; ++k) predictions(begin + i, k) = static_cast<T>(y_mean[k] + y_scale[k] * y(i, k));
    }
  }
  return predictions;
}

PlsDualFit fit_pls_dual(const CpuStream& stream, MatrixView<double> gram, Matrix<double> y, const PlsOptions& options,
                        double epsilon) {
  assert(gram.rows == y.rows() && gram.columns == y.rows());
  const CpuStream fixed(stream.threads(), true);
  const std::int64_t n = gram.rows, q = y.columns();
  PlsSpace space{.side = n, .dual = true};
  for (std::int64_t i = 0; i < n; ++i) space.squared_norm += gram(i, i);
  const double rows = static_cast<double>(n);
  space.least =
      std::max(64.0 * rows * epsilon * epsilon, 8.0 * std::sqrt(rows) * std::numeric_limits<double>::epsilon());
  space.covariance = [&](const Matrix<double>& left) {
    Matrix<double> s(n, q);
    gemm<double>(fixed, n, q, n, {gram.data, gram.stride}, {left.data(), q}, 0.0, s.data(), q);
    return s;
  };
  space.scores = space.loading = [&](std::span<const double> v, std::span<double> kv) {
    multiply_columns<double>(fixed, gram, v, kv);
  };
  PlsComponents found = iterate_pls(fixed, space, std::move(y), options);
  return {as_columns(found.rotations, n), as_columns(found.y_loadings, q), std::move(found.rounds)};
}

template <class T>
Standardised standardise(const CpuStream& stream, MatrixView<T> y, bool scale) {
  ColumnMoments moments = column_moments(stream, y);
  Standardised result;
  result.scale = scales_of(moments, y.rows, scale);
  result.mean = std::move(moments.mean);
  result.values = Matrix<double>(y.rows, y.columns);
  centre<T, double>(stream, y, result.mean, result.scale, result.values);
  return result;
}

template PlsFeatures<float> pls_features(const CpuStream&, Matrix<float>, bool);
template PlsFeatures<double> pls_features(const CpuStream&, Matrix<double>, bool);
template PlsFit fit_pls(const CpuStream&, const PlsFeatures<float>&, MatrixView<float>, const PlsOptions&);
template PlsFit fit_pls(const CpuStream&, const PlsFeatures<double>&, MatrixView<double>, const PlsOptions&);
template Matrix<float> PlsFit::predict(const CpuStream&, MatrixView<float>, int) const;
template Matrix<double> PlsFit::predict(const CpuStream&, MatrixView<double>, int) const;
template Standardised standardise(const CpuStream&, MatrixView<float>, bool);
template Standardised standardise(const CpuStream&, MatrixView<double>, bool);

}  // namespace chiasm
