// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored_batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/maps/factored.h"

namespace chiasm::test {
namespace {

Matrix<double> numbered(std::int64_t rows, std::int64_t columns) {
  Matrix<double> x(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < columns; ++k)
      x(i, k) = static_cast<double>(i) + std::sin(static_cast<double>(k * 7 + i));
  }
  return x;
}

// 23 rows of 4 numbers of which 5 rows are held at once.
Source<double> streamed(const Matrix<double>& x) {
  return {x.rows(), x.columns(),
          [x](std::int64_t first, std::int64_t count) {
            return take_rows<double>({x.data() + first * x.columns(), count, x.columns(), x.columns()}, [&] {
              std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
              std::iota(rows.begin(), rows.end(), 0);
              return rows;
            }());
          },
          5 * x.columns() * 8};
}

std::vector<std::int64_t> positions_of(const Source<double>& source, const Matrix<double>& x,
                                       const std::vector<std::int64_t>& stimuli, std::optional<std::uint32_t> seed,
                                       std::vector<std::size_t>* sizes = nullptr) {
  std::vector<std::int64_t> positions;
  for_each_batch<double>(source, stimuli, 4, seed, [&](const FactoredBatch<double>& batch) {
    if (sizes != nullptr) sizes->push_back(batch.positions.size());
    for (std::size_t i = 0; i < batch.positions.size(); ++i) {
      positions.push_back(batch.positions[i]);
      for (std::int64_t k = 0; k < x.columns(); ++k) {
        EXPECT_EQ(batch.rows[i][k], x(stimuli[static_cast<std::size_t>(batch.positions[i])], k));
      }
    }
  });
  return positions;
}

TEST(FactoredBatches, HoldEachRowOnceInEvenShares) {
  const Matrix<double> x = numbered(23, 4);
  const std::vector<std::int64_t> stimuli{22, 3, 3, 0, 7, 8, 9, 15, 16, 2};  // not in order, one twice
  std::vector<std::int64_t> all(10);
  std::iota(all.begin(), all.end(), 0);
  for (const bool in_blocks : {false, true}) {
    const Source<double> source = in_blocks ? streamed(x) : Source<double>(x);
    std::vector<std::size_t> sizes;
    std::vector<std::int64_t> first = positions_of(source, x, stimuli, 1, &sizes);
    const std::vector<std::int64_t> again = positions_of(source, x, stimuli, 1);
    const std::vector<std::int64_t> other = positions_of(source, x, stimuli, 2);
    EXPECT_EQ(first, again);
    EXPECT_NE(first, other);
    EXPECT_LE(*std::ranges::max_element(sizes), 4u);
    if (!in_blocks) {
      EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 4}));
    }
    std::ranges::sort(first);
    EXPECT_EQ(first, all);
    EXPECT_EQ(positions_of(source, x, stimuli, std::nullopt),
              (std::vector<std::int64_t>{3, 9, 1, 2, 4, 5, 6, 7, 8, 0}));
  }
  EXPECT_EQ(even_batch(10, 4), 4);
  EXPECT_EQ(even_batch(10, 9), 5);
  EXPECT_EQ(even_batch(3, 100), 3);
}

TEST(FactoredBatches, ScaleToAMeanSquareOfOne) {
  Matrix<double> x = numbered(23, 6);
  for (std::int64_t i = 0; i < 23; ++i) x(i, 2) = x(i, 5) = 3.0;  // channel 2 of 3 never varies
  const std::vector<std::int64_t> stimuli{0, 5, 5, 7, 11, 20};
  const CpuStream stream(1);
  for (const FeatureScale scale : {FeatureScale::kLayer, FeatureScale::kChannel, FeatureScale::kNone}) {
    const auto scaling = feature_scaling<double>(stream, streamed(x), stimuli, 3, scale);
    std::vector<double> row(6), squares(6), sums(6);
    for (const std::int64_t stimulus : {0, 5, 7, 11, 20}) {
      scaling.apply(x.row(stimulus).data(), row.data());
      for (std::size_t k = 0; k < 6; ++k) squares[k] += row[k] * row[k], sums[k] += row[k];
    }
    if (scale == FeatureScale::kNone) {
      EXPECT_EQ(row, std::vector<double>(x.row(20).begin(), x.row(20).end()));
      continue;
    }
    for (const double sum : sums) EXPECT_NEAR(sum, 0.0, 1e-12);
    EXPECT_EQ(squares[2], 0.0);
    if (scale == FeatureScale::kLayer) {
      EXPECT_NEAR(std::accumulate(squares.begin(), squares.end(), 0.0), 30.0, 1e-12);
    } else {
      EXPECT_NEAR(squares[0] + squares[3], 10.0, 1e-12);
      EXPECT_NEAR(squares[1] + squares[4], 10.0, 1e-12);
      EXPECT_EQ(scaling.factor[2], 1.0);
    }
  }
}

// A batch of fewer rows than the program has places: the loss is the mean over these rows, and the rest has no part in
// it.
TEST(FactoredBatches, FillUpWithoutWeight) {
  const Matrix<double> x = numbered(5, 6);
  const Matrix<double> y(5, 2, {3, 1, 4, 1, 5, 9, 2, 6, 5, 3});
  const FactoredSize size{.height = 1, .width = 2, .channels = 3, .units = 2, .batch = 4};
  FactoredOptions options;
  options.penalties = {.space_l2 = 0.0, .channels_l2 = 0.0};
  const FeatureScaling<double> scaling{std::vector<double>(6, 0.5), std::vector<double>(6, 2.0)};
  const FactoredWeights<double> weights = initial_factored_weights<double>(size, options);
  FactoredProgram<double> program(CpuStream(1), size, options);
  for (const std::vector<std::int64_t>& positions : {std::vector<std::int64_t>{4, 0, 1, 2}, {3, 0}}) {
    program.set_weights(weights);
    FactoredBatch<double> batch{positions, {}};
    for (const std::int64_t position : positions) batch.rows.push_back(x.row(position).data());
    const std::span<const double> losses = program.step(batch, scaling, y, 0.1);
    for (std::int64_t n = 0; n < 2; ++n) {
      double expected = 0.0;
      for (const std::int64_t i : positions) {
        double error = weights.bias(0, n) - y(i, n);
        for (std::int64_t k = 0; k < 6; ++k) {
          error += 2.0 * (x(i, k) - 0.5) * weights.space(k / 3, n) * weights.channels(k % 3, n);
        }
        expected += error * error / static_cast<double>(positions.size());
      }
      EXPECT_NEAR(losses[static_cast<std::size_t>(n)], expected, 1e-12 * expected);
    }
  }
}

// Blocks only change which rows come together: the loss that is reached is the same to the tolerance of training.
TEST(FactoredBatches, TrainFromBlocksAsFromMemory) {
  const Matrix<double> x = numbered(23, 4);
  Matrix<double> y(23, 1);
  for (std::int64_t i = 0; i < 23; ++i) y(i, 0) = x(i, 1) - 0.5 * x(i, 3) + 0.1 * std::cos(static_cast<double>(5 * i));
  std::vector<std::int64_t> rows(23);
  std::iota(rows.begin(), rows.end(), 0);
  const CpuStream stream(1);
  std::vector<double> losses;
  for (const Source<double>& source : {Source<double>(x), streamed(x)}) {
    const FactoredOptions options{.penalties = {.space_l2 = 1e-3, .channels_l2 = 1e-3}, .batch = 5};
    const auto fit =
        fit_factored<double>(stream, source, rows, feature_scaling<double>(stream, source, rows, 4, options.scale), y,
                             factored_layer({}, 4), options);
    EXPECT_EQ(fit.not_converged(), 0);
    losses.push_back(fit.loss[0]);
    const Matrix<double> predictions = predict_factored<double>(stream, source, rows, fit);
    for (std::int64_t i = 0; i < 23; ++i) EXPECT_NEAR(predictions(i, 0), y(i, 0), 0.4);  // 7 is their deviation
  }
  EXPECT_NEAR(losses[0], losses[1], 2e-3);
}

}  // namespace
}  // namespace chiasm::test
