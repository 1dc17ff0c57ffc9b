// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/ridge.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "analysis/maps/products.h"
#include "analysis/statistics/correlation.h"
#include "kernels/vendor/blas.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

// Columns of one product: targets times penalties. A task takes that many and one thread computes it; fixed, so that
// results do not depend on the threads.
constexpr std::int64_t kColumns = 256;

double cut_off(std::span<const double> values, std::int64_t rows) {
  return *std::ranges::max_element(values) * static_cast<double>(rows) * std::numeric_limits<double>::epsilon();
}

template <class T>
Matrix<T> converted(const Matrix<double>& x) {
  Matrix<T> result(x.rows(), x.columns());
  std::ranges::transform(x.values(), result.values().begin(), [](double v) { return static_cast<T>(v); });
  return result;
}

template <class T>
void set_left(const Matrix<double>& left, RidgeBasis<T>& basis) {
  basis.left = converted<T>(left);
  basis.left_squares = Matrix<double>(left.rows(), left.columns());
  std::ranges::transform(left.values(), basis.left_squares.values().begin(), [](double v) { return v * v; });
}

template <class T>
double shrinkage(const RidgeBasis<T>& basis, std::size_t direction, double alpha) {
  const double square = basis.squares[direction];
  return square > 0.0 ? 1.0 / (square + alpha) : 0.0;
}

// Some targets, centred, and L'y of them.
template <class T>
struct Block {
  std::vector<double> mean;
  Matrix<T> y, along;
};

template <class T>
Block<T> block_of(const RidgeBasis<T>& basis, MatrixView<T> y, std::int64_t first, std::int64_t count) {
  const CpuStream one(1);
  const std::int64_t n = y.rows, r = basis.left.columns();
  Block<T> block{column_moments<T>(one, {y.data + first, n, count, y.stride}).mean, {n, count}, {r, count}};
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < count; ++k) {
      block.y(i, k) = static_cast<T>(static_cast<double>(y(i, first + k)) - block.mean[static_cast<std::size_t>(k)]);
    }
  }
  gemm<T>(one, r, count, n, {basis.left.data(), r, true}, {block.y.data(), count}, T{0}, block.along.data(), count);
  return block;
}

// body(first, count) for blocks of `width` targets, each on one thread.
template <class Body>
void for_blocks(const CpuStream& stream, std::int64_t targets, std::int64_t width, Body&& body) {
  stream.parallel_tasks((targets + width - 1) / width,
                        [&](std::int64_t block) { body(block * width, std::min(width, targets - block * width)); });
}

std::int64_t width_of(std::span<const double> alphas) {
  return std::max<std::int64_t>(8, kColumns / std::max<std::int64_t>(1, std::ssize(alphas)));
}

// `along` with each direction weighted, for every penalty beside each other: [directions, penalties * count].
template <class Out, class T, class Weight>
Matrix<Out> weighted(const Matrix<T>& along, std::span<const double> alphas, Weight&& weight) {
  Matrix<Out> result(along.rows(), std::ssize(alphas) * along.columns());
  for (std::int64_t d = 0; d < along.rows(); ++d) {
    Out* to = result.row(d).data();
    for (const double alpha : alphas) {
      const T w = static_cast<T>(weight(static_cast<std::size_t>(d), alpha));
      for (const T value : along.row(d)) *to++ = static_cast<Out>(w * value);
    }
  }
  return result;
}

// 1 - the leverage of every training row, [rows, penalties].
template <class T>
Matrix<double> slack(const CpuStream& stream, const RidgeBasis<T>& basis, std::span<const double> alphas) {
  const std::int64_t n = basis.left.rows(), r = basis.left.columns(), count = std::ssize(alphas);
  Matrix<double> weights(r, count), result(n, count);
  for (std::int64_t d = 0; d < r; ++d) {
    for (std::int64_t a = 0; a < count; ++a) {
      const double square = basis.squares[static_cast<std::size_t>(d)];
      // The columns of U and 1 / sqrt(n) are a basis: with all of them, the sum below is without cancellation.
      weights(d, a) = basis.from_products ? alphas[a] / (square + alphas[a])
                                          : -shrinkage(basis, static_cast<std::size_t>(d), alphas[a]);
    }
  }
  gemm<double>(CpuStream(stream.threads(), true), n, count, r, {basis.left_squares.data(), r}, {weights.data(), count},
               0.0, result.data(), count);
  if (!basis.from_products) {
    for (double& value : result.values()) value += 1.0 - 1.0 / static_cast<double>(n);
  }
  return result;
}

// Leave-one-out errors with the residuals computed in Real, where `left` is that of the basis. What residuals are made
// from, L'y, is in T.
template <class Real, class T>
Matrix<double> errors_in(const CpuStream& stream, const RidgeBasis<T>& basis, const Matrix<Real>& left, MatrixView<T> y,
                         std::span<const double> alphas, const Matrix<double>& left_over) {
  const std::int64_t n = y.rows, r = basis.left.columns(), choices = std::ssize(alphas);
  Matrix<double> errors(choices, y.columns);
  for_blocks(stream, y.columns, width_of(alphas), [&](std::int64_t first, std::int64_t count) {
    const Block<T> block = block_of(basis, y, first, count);
    // Residuals: of a centred y in a complete basis, U alpha / (d^2 + alpha) U'y; otherwise y - L h L'y.
    const Matrix<Real> along = weighted<Real>(block.along, alphas, [&](std::size_t d, double alpha) {
      return basis.from_products ? alpha / (basis.squares[d] + alpha) : -shrinkage(basis, d, alpha);
    });
    const std::int64_t columns = choices * count;
    Matrix<Real> residuals(n, columns);
    if (!basis.from_products) {
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t a = 0; a < choices; ++a) {
          std::ranges::copy(block.y.row(i), residuals.row(i).begin() + a * count);
        }
      }
    }
    gemm<Real>(CpuStream(1), n, columns, r, {left.data(), r}, {along.data(), columns},
               basis.from_products ? Real{0} : Real{1}, residuals.data(), columns);
    std::vector<double> sums(static_cast<std::size_t>(columns));
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t a = 0; a < choices; ++a) {
        const double weight = 1.0 / left_over(i, a);
        const Real* residual = residuals.row(i).data() + a * count;
        double* sum = sums.data() + a * count;
        for (std::int64_t k = 0; k < count; ++k) {
          const double error = weight * static_cast<double>(residual[k]);
          sum[k] += error * error;
        }
      }
    }
    for (std::int64_t a = 0; a < choices; ++a) {
      for (std::int64_t k = 0; k < count; ++k) {
        errors(a, first + k) = sums[static_cast<std::size_t>(a * count + k)] / static_cast<double>(n);
      }
    }
  });
  return errors;
}

// The first penalty with the least error of a target; NaN is worst.
std::size_t least(const Matrix<double>& errors, std::int64_t target) {
  std::int64_t best = 0;
  for (std::int64_t a = 1; a < errors.rows(); ++a) {
    if (errors(a, target) < errors(best, target) || std::isnan(errors(best, target))) best = a;
  }
  return static_cast<std::size_t>(best);
}

// By what share residuals in float32 may change the root of each penalty's error: they are sums over orthonormal
// directions, whose rounding adds up at random, with a factor of 4; weighting rows by 1 / slack enlarges it at most by
// the ratio of the weights.
std::vector<double> float_margins(const Matrix<double>& left_over, std::int64_t directions) {
  std::vector<double> margins;
  for (std::int64_t a = 0; a < left_over.columns(); ++a) {
    double smallest = left_over(0, a), largest = smallest;
    for (std::int64_t i = 1; i < left_over.rows(); ++i) {
      smallest = std::min(smallest, left_over(i, a));
      largest = std::max(largest, left_over(i, a));
    }
    margins.push_back(4.0 * std::numeric_limits<float>::epsilon() * std::sqrt(static_cast<double>(directions)) *
                      largest / smallest);
  }
  return margins;
}

// Whether one penalty is best whatever the rounding within the margins.
bool decided(const Matrix<double>& errors, std::int64_t target, const std::vector<double>& margins) {
  const std::size_t best = least(errors, target);
  const double most = std::sqrt(errors(static_cast<std::int64_t>(best), target)) * (1.0 + margins[best]);
  for (std::size_t a = 0; a < margins.size(); ++a) {
    const double lowest = std::sqrt(errors(static_cast<std::int64_t>(a), target)) * (1.0 - margins[a]);
    if (a != best && !(lowest > most)) return false;
  }
  return true;
}

}  // namespace

template <class T>
RidgeBasis<T> ridge_basis(const CpuStream& stream, const CentredGram& gram) {
  const std::int64_t n = gram.train.rows(), m = gram.test.rows();
  assert(n >= 2);
  const CpuStream fixed(stream.threads(), true);
  // The direction in which all rows are equal has no variance. Made the largest eigenvector, it is the last, and the
  // others are a basis of what is left.
  double size = 0.0;
  for (const double value : gram.train.values()) size += value * value;
  size = size > 0.0 ? 1.1 * std::sqrt(size) : 1.0;
  Matrix<double> vectors = gram.train;
  for (double& value : vectors.values()) value += size / static_cast<double>(n);
  std::vector<double> values(static_cast<std::size_t>(n));
  symmetric_eigen(n, vectors.data(), values.data());
  values.pop_back();
  const double least = cut_off(values, n);
  RidgeBasis<T> basis;
  basis.from_products = true;
  Matrix<double> left(n, n - 1), test(m, n - 1);
  const Matrix<double> turned = transposed<double>(vectors);
  for (std::int64_t i = 0; i < n; ++i) std::copy_n(turned.row(i).data(), n - 1, left.row(i).data());
  gemm<double>(fixed, m, n - 1, n, {gram.test.data(), n}, {left.data(), n - 1}, 0.0, test.data(), n - 1);
  for (double& value : values) value = value > least ? value : 0.0;
  basis.squares = std::move(values);
  basis.test = converted<T>(test);
  set_left(left, basis);
  return basis;
}

template <class T>
RidgeBasis<T> ridge_basis(const CpuStream& stream, const Matrix<double>& train, const Matrix<double>& test) {
  const std::int64_t n = train.rows(), p = train.columns(), m = test.rows();
  const CpuStream fixed(stream.threads(), true);
  Matrix<double> vectors(p, p);  // rows
  gemm<double>(fixed, p, p, n, {train.data(), p, true}, {train.data(), p}, 0.0, vectors.data(), p);
  RidgeBasis<T> basis;
  basis.squares.resize(static_cast<std::size_t>(p));
  symmetric_eigen(p, vectors.data(), basis.squares.data());
  const double least = cut_off(basis.squares, n);
  for (double& value : basis.squares) value = value > least ? value : 0.0;
  Matrix<double> left(n, p), turned(m, p);
  gemm<double>(fixed, n, p, p, {train.data(), p}, {vectors.data(), p, true}, 0.0, left.data(), p);
  gemm<double>(fixed, m, p, p, {test.data(), p}, {vectors.data(), p, true}, 0.0, turned.data(), p);
  basis.test = converted<T>(turned);
  set_left(left, basis);
  return basis;
}

template <class T>
Matrix<T> ridge_predict(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                        std::span<const double> alphas) {
  assert(std::ssize(alphas) == y.columns && y.rows == basis.left.rows());
  const std::int64_t m = basis.test.rows(), r = basis.test.columns();
  Matrix<T> predictions(m, y.columns);
  for_blocks(stream, y.columns, kColumns, [&](std::int64_t first, std::int64_t count) {
    Block<T> block = block_of(basis, y, first, count);
    for (std::int64_t d = 0; d < r; ++d) {
      for (std::int64_t k = 0; k < count; ++k) {
        block.along(d, k) *= static_cast<T>(shrinkage(basis, static_cast<std::size_t>(d), alphas[first + k]));
      }
    }
    gemm<T>(CpuStream(1), m, count, r, {basis.test.data(), r}, {block.along.data(), count}, T{0},
            predictions.data() + first, y.columns);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t k = 0; k < count; ++k) {
        T& value = predictions(i, first + k);
        value = static_cast<T>(block.mean[static_cast<std::size_t>(k)] + static_cast<double>(value));
      }
    }
  });
  return predictions;
}

template <class T>
Matrix<double> leave_one_out_errors(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                                    std::span<const double> alphas) {
  return errors_in<T>(stream, basis, basis.left, y, alphas, slack(stream, basis, alphas));
}

template <class T>
std::vector<double> choose_by_leave_one_out(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                                            std::span<const double> alphas) {
  const Matrix<double> left_over = slack(stream, basis, alphas);
  if (std::is_same_v<T, float> || !basis.from_products) {
    const Matrix<double> errors = errors_in<T>(stream, basis, basis.left, y, alphas, left_over);
    std::vector<double> chosen;
    for (std::int64_t k = 0; k < y.columns; ++k) chosen.push_back(alphas[least(errors, k)]);
    return chosen;
  }
  Matrix<float> single(basis.left.rows(), basis.left.columns());
  std::ranges::transform(basis.left.values(), single.values().begin(), [](T v) { return static_cast<float>(v); });
  const Matrix<double> errors = errors_in<float>(stream, basis, single, y, alphas, left_over);
  const std::vector<double> margins = float_margins(left_over, basis.left.columns());
  std::vector<double> chosen;
  std::vector<std::int64_t> open;
  for (std::int64_t k = 0; k < y.columns; ++k) {
    chosen.push_back(alphas[least(errors, k)]);
    if (!decided(errors, k, margins)) open.push_back(k);
  }
  Matrix<T> rest(y.rows, std::ssize(open));
  for (std::int64_t i = 0; i < y.rows; ++i) {
    for (std::int64_t k = 0; k < rest.columns(); ++k) rest(i, k) = y(i, open[static_cast<std::size_t>(k)]);
  }
  const Matrix<double> exact = errors_in<T>(stream, basis, basis.left, rest.view(), alphas, left_over);
  for (std::int64_t k = 0; k < rest.columns(); ++k) {
    chosen[static_cast<std::size_t>(open[static_cast<std::size_t>(k)])] = alphas[least(exact, k)];
  }
  return chosen;
}

template <class T>
Matrix<double> test_correlations(const CpuStream& stream, const RidgeBasis<T>& basis, MatrixView<T> y,
                                 MatrixView<T> truth, std::span<const double> alphas) {
  assert(truth.rows == basis.test.rows() && truth.columns == y.columns);
  const std::int64_t m = basis.test.rows(), r = basis.test.columns(), choices = std::ssize(alphas);
  Matrix<double> correlations(choices, y.columns);
  for_blocks(stream, y.columns, width_of(alphas), [&](std::int64_t first, std::int64_t count) {
    const Block<T> block = block_of(basis, y, first, count);
    const Matrix<T> along =
        weighted<T>(block.along, alphas, [&](std::size_t d, double alpha) { return shrinkage(basis, d, alpha); });
    const std::int64_t columns = choices * count;
    Matrix<T> predicted(m, columns);  // without the mean, which correlation does not see
    gemm<T>(CpuStream(1), m, columns, r, {basis.test.data(), r}, {along.data(), columns}, T{0}, predicted.data(),
            columns);
    for (std::int64_t a = 0; a < choices; ++a) {
      const auto found = column_pearson<T>({predicted.data() + a * count, m, count, columns},
                                           {truth.data + first, m, count, truth.stride});
      std::ranges::copy(found, correlations.row(a).begin() + first);
    }
  });
  return correlations;
}

template RidgeBasis<float> ridge_basis(const CpuStream&, const CentredGram&);
template RidgeBasis<double> ridge_basis(const CpuStream&, const CentredGram&);
template RidgeBasis<float> ridge_basis(const CpuStream&, const Matrix<double>&, const Matrix<double>&);
template RidgeBasis<double> ridge_basis(const CpuStream&, const Matrix<double>&, const Matrix<double>&);
template Matrix<float> ridge_predict(const CpuStream&, const RidgeBasis<float>&, MatrixView<float>,
                                     std::span<const double>);
template Matrix<double> ridge_predict(const CpuStream&, const RidgeBasis<double>&, MatrixView<double>,
                                      std::span<const double>);
template Matrix<double> leave_one_out_errors(const CpuStream&, const RidgeBasis<float>&, MatrixView<float>,
                                             std::span<const double>);
template Matrix<double> leave_one_out_errors(const CpuStream&, const RidgeBasis<double>&, MatrixView<double>,
                                             std::span<const double>);
template std::vector<double> choose_by_leave_one_out(const CpuStream&, const RidgeBasis<float>&, MatrixView<float>,
                                                     std::span<const double>);
template std::vector<double> choose_by_leave_one_out(const CpuStream&, const RidgeBasis<double>&, MatrixView<double>,
                                                     std::span<const double>);
template Matrix<double> test_correlations(const CpuStream&, const RidgeBasis<float>&, MatrixView<float>,
                                          MatrixView<float>, std::span<const double>);
template Matrix<double> test_correlations(const CpuStream&, const RidgeBasis<double>&, MatrixView<double>,
                                          MatrixView<double>, std::span<const double>);

}  // namespace chiasm
