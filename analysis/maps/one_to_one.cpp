// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/one_to_one.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/maps/methods.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTie = 1e-12;
// A task sums the products of kTile units with all targets of a group, from kRows stimuli at once. All fixed, so that
// results do not depend on the threads.
constexpr std::int64_t kTile = 128;
constexpr std::int64_t kRows = 512;
constexpr std::int64_t kGroupBytes = std::int64_t{256} << 20;  // products of all units with a group of targets

// Row i of the split is stimulus stimuli[i]; in ascending order of stimuli, so that a block has a range of them.
struct Order {
  explicit Order(std::span<const std::int64_t> rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) stimuli.emplace_back(rows[i], static_cast<std::int64_t>(i));
    std::ranges::sort(stimuli);
  }
  std::span<const std::pair<std::int64_t, std::int64_t>> inside(std::int64_t first, std::int64_t count) const {
    const auto less = [](const auto& pair, std::int64_t value) { return pair.first < value; };
    const auto begin = std::lower_bound(stimuli.begin(), stimuli.end(), first, less);
    return {begin, std::lower_bound(begin, stimuli.end(), first + count, less)};
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> stimuli;
};

// sums [units, targets] += products of the centred source and the centred targets over the rows inside `block`.
template <class T>
void add_products(const CpuStream& stream, MatrixView<T> block, std::int64_t first, const Order& order,
                  const std::vector<double>& mean, const Matrix<double>& y, Matrix<double>& sums) {
  const auto inside = order.inside(first, block.rows);
  const std::int64_t targets = y.columns(), units = block.columns;
  for (std::size_t begin = 0; begin < inside.size(); begin += kRows) {
    const auto piece = inside.subspan(begin, std::min<std::size_t>(kRows, inside.size() - begin));
    Matrix<double> y_piece(std::ssize(piece), targets);
    for (std::size_t i = 0; i < piece.size(); ++i) {
      std::ranges::copy(y.row(piece[i].second), y_piece.row(static_cast<std::int64_t>(i)).begin());
    }
    const CpuStream one(1);
    stream.parallel_tasks((units + kTile - 1) / kTile, [&](std::int64_t tile) {
      const std::int64_t unit = tile * kTile, count = std::min(kTile, units - unit);
      Matrix<double> x(std::ssize(piece), count);
      for (std::size_t i = 0; i < piece.size(); ++i) {
        const T* row = block.data + (piece[i].first - first) * block.stride + unit;
        const auto to = x.row(static_cast<std::int64_t>(i));
        for (std::int64_t k = 0; k < count; ++k) to[k] = static_cast<double>(row[k]) - mean[unit + k];
      }
      gemm<double>(one, count, targets, x.rows(), {x.data(), count, true}, {y_piece.data(), targets}, 1.0,
                   sums.row(unit).data(), targets);
    });
  }
}

template <class T>
class PreparedOneToOne final : public PreparedMap<T> {
 public:
  PreparedOneToOne(const CpuStream& stream, const Source<T>& source, const Split& split)
      : source_(source), split_(split), moments_(column_moments<T>(stream, source, split.train)) {}

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    const BestUnits best = best_units(stream, source_, split_.train, moments_, y);
    Matrix<T> predictions(std::ssize(split_.test), y.columns);
    // Where no unit of the source varies, a target is predicted by its mean.
    const std::vector<double> means = column_moments(stream, y).mean;
    for (std::int64_t i = 0; i < predictions.rows(); ++i) {
      std::ranges::transform(means, predictions.row(i).begin(), [](double mean) { return static_cast<T>(mean); });
    }
    const Order order(split_.test);
    source_.for_each_block([&](std::int64_t first, MatrixView<T> block) {
      for (const auto& [stimulus, row] : order.inside(first, block.rows)) {
        for (std::int64_t k = 0; k < y.columns; ++k) {
          const std::int64_t unit = best.unit[static_cast<std::size_t>(k)];
          if (unit >= 0) predictions(row, k) = block(stimulus - first, unit);
        }
      }
    });
    if (report != nullptr) {
      *report = {};
      report->unit = best.unit;
    }
    return predictions;
  }

 private:
  Source<T> source_;
  Split split_;
  ColumnMoments moments_;
};

template <class T>
class OneToOne final : public MapMethod<T> {
 public:
  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    return std::make_unique<PreparedOneToOne<T>>(stream, source, split);
  }
};

}  // namespace

template <class T>
BestUnits best_units(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                     const ColumnMoments& moments, MatrixView<T> y) {
  const std::int64_t units = source.units();
  const ColumnMoments targets = column_moments(stream, y);
  const Order order(rows);
  BestUnits best{std::vector<std::int64_t>(static_cast<std::size_t>(y.columns), -1),
                 std::vector<double>(static_cast<std::size_t>(y.columns), kNaN)};
  const std::int64_t most = std::max<std::int64_t>(1, kGroupBytes / std::max<std::int64_t>(1, 8 * units));
  for (std::int64_t group = 0; group < y.columns; group += most) {
    const std::int64_t count = std::min(most, y.columns - group);
    Matrix<double> centred(y.rows, count), sums(units, count);
    for (std::int64_t i = 0; i < y.rows; ++i) {
      for (std::int64_t k = 0; k < count; ++k) {
        centred(i, k) = static_cast<double>(y(i, group + k)) - targets.mean[group + k];
      }
    }
    source.for_each_block([&](std::int64_t first, MatrixView<T> block) {
      add_products(stream, block, first, order, moments.mean, centred, sums);
    });
    for (std::int64_t unit = 0; unit < units; ++unit) {
      const double own = std::sqrt(moments.squares[static_cast<std::size_t>(unit)]);
      if (own == 0.0) continue;
      for (std::int64_t k = 0; k < count; ++k) {
        const auto target = static_cast<std::size_t>(group + k);
        if (targets.squares[target] == 0.0) continue;
        const double r = sums(unit, k) / (own * std::sqrt(targets.squares[target]));
        if (best.unit[target] < 0 || r > best.correlation[target] + kTie) {
          best.unit[target] = unit;
          best.correlation[target] = r;
        }
      }
    }
  }
  return best;
}

template <class T>
std::unique_ptr<MapMethod<T>> one_to_one_map(const MapOptions&) {
  return std::make_unique<OneToOne<T>>();
}

template BestUnits best_units(const CpuStream&, const Source<float>&, std::span<const std::int64_t>,
                              const ColumnMoments&, MatrixView<float>);
template BestUnits best_units(const CpuStream&, const Source<double>&, std::span<const std::int64_t>,
                              const ColumnMoments&, MatrixView<double>);
template std::unique_ptr<MapMethod<float>> one_to_one_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> one_to_one_map(const MapOptions&);

}  // namespace chiasm
