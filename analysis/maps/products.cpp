// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/products.h"

#include <algorithm>

#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

// A task multiplies a tile of rows with another over a slice of the units, of which it converts kColumns at once. All
// are fixed, so that results do not depend on the threads; there are enough tasks for many cores where there is work.
constexpr std::int64_t kTile = 256;
constexpr std::int64_t kColumns = 512;
constexpr std::int64_t kLeastTasks = 32;
constexpr std::int64_t kGrain = 4096;  // units that one thread sums

std::int64_t pieces(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

struct Scaling {
  std::span<const double> shift, factor;
};

// rows x columns [first, +count) of x, shifted and scaled, in double.
template <class T>
void convert(MatrixView<T> x, std::int64_t first, std::int64_t count, const Scaling& scaling, double* out) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const T* row = x.data + i * x.stride + first;
    const double* shift = scaling.shift.data() + first;
    double* to = out + i * count;
    for (std::int64_t k = 0; k < count; ++k) to[k] = static_cast<double>(row[k]) - shift[k];
    if (scaling.factor.empty()) continue;
    const double* factor = scaling.factor.data() + first;
    for (std::int64_t k = 0; k < count; ++k) to[k] *= factor[k];
  }
}

template <class T>
MatrixView<T> tile(MatrixView<T> x, std::int64_t index) {
  const std::int64_t begin = index * kTile;
  return {x.data + begin * x.stride, std::min(kTile, x.rows - begin), x.columns, x.stride};
}

// out[i, k] = <a_i, b_k>, by tiles; where a and b are the same rows, only tiles on and below the diagonal.
template <class T>
void multiply(const CpuStream& stream, MatrixView<T> a, MatrixView<T> b, const Scaling& scaling, double* out,
              std::int64_t out_stride) {
  const bool same = a.data == b.data && a.rows == b.rows;
  struct Pair {
    std::int64_t a, b;
  };
  std::vector<Pair> pairs;
  for (std::int64_t i = 0; i < pieces(a.rows, kTile); ++i) {
    for (std::int64_t k = 0; k < (same ? i + 1 : pieces(b.rows, kTile)); ++k) pairs.push_back({i, k});
  }
  // Few tiles are multiplied in slices, whose sums are added in order.
  const std::int64_t slices = std::clamp<std::int64_t>(pieces(kLeastTasks, std::ssize(pairs)), 1,
                                                       std::max<std::int64_t>(1, a.columns / kColumns));
  const std::int64_t slice = pieces(pieces(a.columns, slices), kColumns) * kColumns;
  std::vector<std::vector<double>> sums(pairs.size() * static_cast<std::size_t>(slices));
  const CpuStream one(1);
  stream.parallel_tasks(std::ssize(sums), [&](std::int64_t task) {
    const Pair pair = pairs[static_cast<std::size_t>(task / slices)];
    const MatrixView<T> left = tile(a, pair.a), right = tile(b, pair.b);
    const bool diagonal = same && pair.a == pair.b;
    std::vector<double>& sum = sums[static_cast<std::size_t>(task)];
    sum.assign(static_cast<std::size_t>(left.rows * right.rows), 0.0);
    std::vector<double> l(static_cast<std::size_t>(left.rows * kColumns));
    std::vector<double> r(diagonal ? 0 : static_cast<std::size_t>(right.rows * kColumns));
    const std::int64_t begin = task % slices * slice, end = std::min(begin + slice, a.columns);
    for (std::int64_t first = begin; first < end; first += kColumns) {
      const std::int64_t count = std::min(kColumns, end - first);
      convert(left, first, count, scaling, l.data());
      if (!diagonal) convert(right, first, count, scaling, r.data());
      gemm<double>(one, left.rows, right.rows, count, {l.data(), count}, {diagonal ? l.data() : r.data(), count, true},
                   1.0, sum.data(), right.rows);
    }
    if (slices > 1) return;
    for (std::int64_t i = 0; i < left.rows; ++i) {
      std::copy_n(sum.data() + i * right.rows, right.rows, out + (pair.a * kTile + i) * out_stride + pair.b * kTile);
    }
    sum = {};
  });
  if (slices == 1) return;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const std::int64_t rows = tile(a, pairs[p].a).rows, columns = tile(b, pairs[p].b).rows;
    for (std::int64_t s = 0; s < slices; ++s) {
      const std::vector<double>& sum = sums[p * static_cast<std::size_t>(slices) + static_cast<std::size_t>(s)];
      for (std::int64_t i = 0; i < rows; ++i) {
        double* to = out + (pairs[p].a * kTile + i) * out_stride + pairs[p].b * kTile;
        for (std::int64_t k = 0; k < columns; ++k) to[k] = (s == 0 ? 0.0 : to[k]) + sum[i * columns + k];
      }
    }
  }
}

// Sums of x - x_first and of its square: what is taken off at the end is at most as large as what is left of the first
// stimulus, so that the variance keeps its digits.
class MomentSums {
 public:
  explicit MomentSums(std::int64_t units)
      : first_(static_cast<std::size_t>(units)), sum_(first_.size()), square_(first_.size()) {}

  template <class T>
  void add(const CpuStream& stream, MatrixView<T> x, std::span<const std::int64_t> rows) {
    if (rows.empty()) return;
    if (count_ == 0) std::ranges::copy(x.row(rows[0]), first_.begin());
    count_ += std::ssize(rows);
    stream.parallel_for(x.columns, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (const std::int64_t i : rows) {
        const T* row = x.data + i * x.stride;
        for (std::int64_t k = begin; k < end; ++k) {
          const double d = static_cast<double>(row[k]) - first_[k];
          sum_[k] += d;
          square_[k] += d * d;
        }
      }
    });
  }

  ColumnMoments finish() {
    for (std::size_t k = 0; k < first_.size() && count_ > 0; ++k) {
      const double mean = sum_[k] / static_cast<double>(count_);
      square_[k] = std::max(0.0, square_[k] - mean * sum_[k]);
      first_[k] += mean;
    }
    return {std::move(first_), std::move(square_)};
  }

 private:
  std::int64_t count_ = 0;
  std::vector<double> first_, sum_, square_;
};

}  // namespace

template <class T>
ColumnMoments column_moments(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows) {
  std::vector<std::int64_t> sorted(rows.begin(), rows.end());
  std::ranges::sort(sorted);
  MomentSums sums(source.units());
  source.for_each_block([&](std::int64_t first, MatrixView<T> block) {
    std::vector<std::int64_t> inside;
    const auto end = std::ranges::lower_bound(sorted, first + block.rows);
    for (auto i = std::ranges::lower_bound(sorted, first); i < end; ++i) inside.push_back(*i - first);
    sums.add(stream, block, inside);
  });
  return sums.finish();
}

template <class T>
ColumnMoments column_moments(const CpuStream& stream, MatrixView<T> x) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(x.rows));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  MomentSums sums(x.columns);
  sums.add(stream, x, rows);
  return sums.finish();
}

template <class T>
Matrix<double> products(const CpuStream& stream, const Source<T>& source, std::span<const double> shift,
                        std::span<const double> factor) {
  const std::int64_t n = source.stimuli();
  Matrix<double> result(n, n);
  // The rows of the outer block take most of the memory, because all rows behind them are read again for each.
  const std::int64_t inner = source.most_bytes() / 4, outer = source.most_bytes() - inner;
  source.for_each_block(
      [&](std::int64_t first, MatrixView<T> a) {
        multiply(stream, a, a, {shift, factor}, result.data() + first * n + first, n);
        source.for_each_block(
            [&](std::int64_t begin, MatrixView<T> b) {
              multiply(stream, b, a, {shift, factor}, result.data() + begin * n + first, n);
            },
            inner, first + a.rows);
      },
      outer);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < i; ++k) result(k, i) = result(i, k);
  }
  return result;
}

template ColumnMoments column_moments(const CpuStream&, const Source<float>&, std::span<const std::int64_t>);
template ColumnMoments column_moments(const CpuStream&, const Source<double>&, std::span<const std::int64_t>);
template ColumnMoments column_moments(const CpuStream&, MatrixView<float>);
template ColumnMoments column_moments(const CpuStream&, MatrixView<double>);
template Matrix<double> products(const CpuStream&, const Source<float>&, std::span<const double>,
                                 std::span<const double>);
template Matrix<double> products(const CpuStream&, const Source<double>&, std::span<const double>,
                                 std::span<const double>);

}  // namespace chiasm
