// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/dissimilarity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

constexpr std::array<std::pair<const char*, Dissimilarity>, 4> kNames{
    {{"correlation", Dissimilarity::kCorrelation},
     {"euclidean", Dissimilarity::kEuclidean},
     {"sqeuclidean", Dissimilarity::kSquaredEuclidean},
     {"cosine", Dissimilarity::kCosine}}};

// A task compares a tile of rows with another, of whose units it converts kColumns at once. Both are fixed, so that
// results do not depend on the threads.
constexpr std::int64_t kTile = 64;
constexpr std::int64_t kColumns = 512;
// What a product loses by cancelling is at most 1 / kClose times its rounding errors.
constexpr double kClose = 1e-3;
// Scaled patterns that lie closer than this many times their rounding errors are the same pattern, at distance 0, and
// opposite ones are at 2: otherwise ranks would order what rounding left of distances that are equal.
constexpr double kRoundings = 4.0;

// Rows in one piece, or in blocks: visit(body, bytes, begin) as Source::for_each_block.
template <class T>
struct Blocks {
  using Body = std::function<void(std::int64_t first, MatrixView<T> rows)>;
  std::function<void(const Body&, std::int64_t bytes, std::int64_t begin)> visit;
  std::int64_t rows, columns, most_bytes;
};

// z = (x - shift of the unit - shift of the row) * scale of the row, in which all measures are products or differences.
struct Scaling {
  std::vector<double> unit_shift;
  std::vector<double> row_shift, row_scale;
  std::vector<double> square;  // <z, z>
  std::vector<double> error;   // how far rounding of x to T may have moved z
  std::vector<bool> bad;       // z = 0 instead
};

bool is_normalised(Dissimilarity measure) {
  return measure == Dissimilarity::kCorrelation || measure == Dissimilarity::kCosine;
}

template <class T>
bool is_finite(std::span<const T> row) {
  T zero = 0;  // a sum of x - x is 0 unless one is not finite; unlike a search it is vectorised
  for (const T value : row) zero += value - value;
  return zero == T{0};
}

template <class T>
void scale_row(std::span<const T> row, std::size_t i, Dissimilarity measure, Scaling& scaling) {
  const auto count = static_cast<double>(row.size());
  if (measure == Dissimilarity::kCorrelation) {
    double sum = 0.0;
    for (const T value : row) sum += static_cast<double>(value);
    scaling.row_shift[i] = sum / count;
    // Values that are all equal must have no variance, whatever the rounded mean of them is.
    if (std::ranges::all_of(row, [&](T value) { return value == row[0]; })) return;
  }
  double square = 0.0, length = 0.0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    const auto value = static_cast<double>(row[k]);
    const double z = value - scaling.unit_shift[k] - scaling.row_shift[i];
    square += z * z;
    length += value * value;
  }
  scaling.square[i] = square;
  scaling.error[i] = std::numeric_limits<T>::epsilon() * std::sqrt(length);
}

template <class T>
Scaling scaling_of(const CpuStream& stream, const Blocks<T>& blocks, Dissimilarity measure) {
  const auto rows = static_cast<std::size_t>(blocks.rows);
  Scaling scaling{.unit_shift = std::vector<double>(static_cast<std::size_t>(blocks.columns)),
                  .row_shift = std::vector<double>(rows),
                  .row_scale = std::vector<double>(rows, 1.0),
                  .square = std::vector<double>(rows),
                  .error = std::vector<double>(rows),
                  .bad = std::vector<bool>(rows)};
  bool shifted = is_normalised(measure);  // a common shift changes those
  blocks.visit(
      [&](std::int64_t first, MatrixView<T> block) {
        std::vector<char> finite(static_cast<std::size_t>(block.rows));
        stream.parallel_for(block.rows, 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) finite[static_cast<std::size_t>(i)] = is_finite(block.row(i));
        });
        for (std::int64_t i = 0; i < block.rows && !shifted; ++i) {
          // Distances do not change when one item is taken from all; what they have in common then cancels first.
          if (!finite[static_cast<std::size_t>(i)]) continue;
          std::ranges::copy(block.row(i), scaling.unit_shift.begin());
          shifted = true;
        }
        stream.parallel_for(block.rows, 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            if (!finite[static_cast<std::size_t>(i)]) continue;
            scale_row(block.row(i), static_cast<std::size_t>(first + i), measure, scaling);
          }
        });
        for (std::int64_t i = 0; i < block.rows; ++i) {
          scaling.bad[static_cast<std::size_t>(first + i)] = !finite[static_cast<std::size_t>(i)];
        }
      },
      0, 0);
  if (!is_normalised(measure)) return scaling;
  for (std::size_t i = 0; i < rows; ++i) {
    scaling.bad[i] = scaling.bad[i] || !std::isnormal(scaling.square[i]);
    scaling.row_scale[i] = scaling.bad[i] ? 0.0 : 1.0 / std::sqrt(scaling.square[i]);
    scaling.square[i] = 1.0;
    scaling.error[i] *= scaling.row_scale[i];
  }
  return scaling;
}

template <class T>
class Comparer {
 public:
  Comparer(Dissimilarity measure, const Scaling& scaling, Rdm& rdm) : measure_(measure), scaling_(scaling), rdm_(rdm) {}

  // Items i of `a`, which begin at item `first_a`, with items j > i of `b`: tile by tile.
  void compare(const CpuStream& stream, MatrixView<T> a, std::int64_t first_a, MatrixView<T> b, std::int64_t first_b) {
    struct Pair {
      std::int64_t a, b;
    };
    std::vector<Pair> pairs;
    for (std::int64_t i = 0; i < a.rows; i += kTile) {
      for (std::int64_t j = first_a == first_b ? i : 0; j < b.rows; j += kTile) pairs.push_back({i, j});
    }
    const CpuStream one(1);
    stream.parallel_tasks(std::ssize(pairs), [&](std::int64_t task) {
      const Pair pair = pairs[static_cast<std::size_t>(task)];
      const Tile left = tile(a, pair.a, first_a), right = tile(b, pair.b, first_b);
      const bool same = left.first == right.first;
      std::vector<double> products(static_cast<std::size_t>(left.rows.rows * right.rows.rows));
      std::vector<double> l(static_cast<std::size_t>(left.rows.rows * kColumns));
      std::vector<double> r(same ? 0 : static_cast<std::size_t>(right.rows.rows * kColumns));
      for (std::int64_t k = 0; k < a.columns; k += kColumns) {
        const std::int64_t count = std::min(kColumns, a.columns - k);
        convert(left, k, count, l.data());
        if (!same) convert(right, k, count, r.data());
        gemm<double>(one, left.rows.rows, right.rows.rows, count, {l.data(), count},
                     {same ? l.data() : r.data(), count, true}, 1.0, products.data(), right.rows.rows);
      }
      for (std::int64_t i = 0; i < left.rows.rows; ++i) {
        for (std::int64_t j = same ? i + 1 : 0; j < right.rows.rows; ++j) {
          set(left, i, right, j, products[static_cast<std::size_t>(i * right.rows.rows + j)]);
        }
      }
    });
  }

 private:
  struct Tile {
    MatrixView<T> rows;
    std::int64_t first;  // item of row 0
  };

  static Tile tile(MatrixView<T> x, std::int64_t begin, std::int64_t first) {
    return {{x.data + begin * x.stride, std::min(kTile, x.rows - begin), x.columns, x.stride}, first + begin};
  }

  void convert(const Tile& tile, std::int64_t first, std::int64_t count, double* out) const {
    const double* unit_shift = scaling_.unit_shift.data() + first;
    for (std::int64_t i = 0; i < tile.rows.rows; ++i, out += count) {
      const auto item = static_cast<std::size_t>(tile.first + i);
      if (scaling_.bad[item]) {
        std::fill_n(out, count, 0.0);
        continue;
      }
      const T* row = tile.rows.data + i * tile.rows.stride + first;
      const double shift = scaling_.row_shift[item], scale = scaling_.row_scale[item];
      for (std::int64_t k = 0; k < count; ++k) out[k] = (static_cast<double>(row[k]) - unit_shift[k] - shift) * scale;
    }
  }

  // |a - b|^2, or with the sign -1 |a + b|^2, of two scaled items.
  double squared_difference(const Tile& a, std::int64_t i, const Tile& b, std::int64_t j, double sign = 1.0) const {
    std::array<double, kColumns> x, y;
    double sum = 0.0;
    for (std::int64_t k = 0; k < a.rows.columns; k += kColumns) {
      const std::int64_t count = std::min(kColumns, a.rows.columns - k);
      convert(tile({a.rows.data + i * a.rows.stride, 1, a.rows.columns, a.rows.stride}, 0, a.first + i), k, count,
              x.data());
      convert(tile({b.rows.data + j * b.rows.stride, 1, b.rows.columns, b.rows.stride}, 0, b.first + j), k, count,
              y.data());
      for (std::int64_t u = 0; u < count; ++u) sum += (x[u] - sign * y[u]) * (x[u] - sign * y[u]);
    }
    return sum;
  }

  void set(const Tile& a, std::int64_t i, const Tile& b, std::int64_t j, double product) {
    const auto item_a = static_cast<std::size_t>(a.first + i), item_b = static_cast<std::size_t>(b.first + j);
    double& value = rdm_.values[static_cast<std::size_t>(pair_index(rdm_.items, a.first + i, b.first + j))];
    if (scaling_.bad[item_a] || scaling_.bad[item_b]) {
      value = std::numeric_limits<double>::quiet_NaN();
      return;
    }
    const double squares = scaling_.square[item_a] + scaling_.square[item_b];
    double squared = squares - 2.0 * product;
    if (squared < kClose * squares) squared = squared_difference(a, i, b, j);
    if (is_normalised(measure_)) {
      const double error = kRoundings * (scaling_.error[item_a] + scaling_.error[item_b]);
      const auto same = [error](double square) { return square <= error * error; };
      value = same(squared) ? 0.0 : std::min(0.5 * squared, 2.0);  // 1 - product
      if (value > 2.0 - kClose && same(squared_difference(a, i, b, j, -1.0))) value = 2.0;
    } else {
      value = measure_ == Dissimilarity::kEuclidean ? std::sqrt(squared) : squared;
    }
  }

  Dissimilarity measure_;
  const Scaling& scaling_;
  Rdm& rdm_;
};

// Of the distances between items that were moved so far; the larger ones are known by now.
double rounding_of(const Rdm& rdm, const Scaling& scaling, Dissimilarity measure) {
  double moved = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < scaling.error.size(); ++i) {
    if (!scaling.bad[i]) moved = std::max(moved, 2.0 * scaling.error[i]);
  }
  if (measure != Dissimilarity::kSquaredEuclidean) return moved;
  for (const double value : rdm.values) largest = value > largest ? value : largest;
  return 2.0 * moved * std::sqrt(largest);
}

template <class T>
Rdm compare_all(const CpuStream& stream, const Blocks<T>& blocks, Dissimilarity measure) {
  Rdm rdm(blocks.rows);
  const Scaling scaling = scaling_of(stream, blocks, measure);
  for (std::int64_t i = 0; i < blocks.rows; ++i) {
    if (scaling.bad[static_cast<std::size_t>(i)]) rdm.undefined.push_back(i);
  }
  Comparer<T> comparer(measure, scaling, rdm);
  // The items of the outer block take most of the memory, because all items behind them are read again for each.
  const std::int64_t inner = blocks.most_bytes / 4, outer = blocks.most_bytes - inner;
  blocks.visit(
      [&](std::int64_t first, MatrixView<T> a) {
        comparer.compare(stream, a, first, a, first);
        blocks.visit([&](std::int64_t begin, MatrixView<T> b) { comparer.compare(stream, a, first, b, begin); }, inner,
                     first + a.rows);
      },
      outer, 0);
  rdm.rounding = rounding_of(rdm, scaling, measure);
  return rdm;
}

}  // namespace

Dissimilarity parse_dissimilarity(const std::string& name) {
  std::string known;
  for (const auto& [text, measure] : kNames) {
    if (name == text) return measure;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw InputError("dissimilarity \"" + name + "\": known are " + known);
}

std::string to_string(Dissimilarity measure) {
  for (const auto& [text, known] : kNames) {
    if (known == measure) return text;
  }
  throw InternalError("a dissimilarity without a name");
}

std::vector<std::string> dissimilarity_names() {
  std::vector<std::string> names;
  for (const auto& [text, measure] : kNames) names.emplace_back(text);
  return names;
}

template <class T>
Rdm dissimilarity(const CpuStream& stream, MatrixView<T> x, Dissimilarity measure) {
  const auto visit = [&](const typename Blocks<T>::Body& body, std::int64_t, std::int64_t begin) {
    if (begin < x.rows) body(begin, {x.data + begin * x.stride, x.rows - begin, x.columns, x.stride});
  };
  return compare_all<T>(stream, {visit, x.rows, x.columns, 0}, measure);
}

template <class T>
Rdm dissimilarity(const CpuStream& stream, const Source<T>& source, Dissimilarity measure) {
  const auto visit = [&](const typename Blocks<T>::Body& body, std::int64_t bytes, std::int64_t begin) {
    source.for_each_block(body, bytes, begin);
  };
  return compare_all<T>(stream, {visit, source.stimuli(), source.units(), source.most_bytes()}, measure);
}

template Rdm dissimilarity(const CpuStream&, MatrixView<float>, Dissimilarity);
template Rdm dissimilarity(const CpuStream&, MatrixView<double>, Dissimilarity);
template Rdm dissimilarity(const CpuStream&, const Source<float>&, Dissimilarity);
template Rdm dissimilarity(const CpuStream&, const Source<double>&, Dissimilarity);

}  // namespace chiasm
