// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored_batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/maps/products.h"
#include "analysis/statistics/split.h"

namespace chiasm {

template <class T>
void FeatureScaling<T>::apply(const T* row, T* scaled) const {
  const T* const shift = mean.data();
  const T* const size = factor.data();
  for (std::size_t k = 0; k < mean.size(); ++k) scaled[k] = (row[k] - shift[k]) * size[k];
}

template <class T>
FeatureScaling<T> feature_scaling(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                                  std::int64_t channels, FeatureScale scale) {
  const auto features = static_cast<std::size_t>(source.units());
  if (scale == FeatureScale::kNone) return {std::vector<T>(features, T{0}), std::vector<T>(features, T{1})};
  // Moments are of stimuli, each once, also where a bootstrap takes some several times: any constants will do.
  std::vector<std::int64_t> distinct(rows.begin(), rows.end());
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const ColumnMoments moments = column_moments<T>(stream, source, distinct);
  // One factor for every `group`th feature.
  const std::size_t group = scale == FeatureScale::kChannel ? static_cast<std::size_t>(channels) : 1;
  std::vector<double> squares(group);
  for (std::size_t k = 0; k < features; ++k) squares[k % group] += moments.squares[k];
  const double count = static_cast<double>(distinct.size()) * static_cast<double>(features / group);
  FeatureScaling<T> scaling{std::vector<T>(features), std::vector<T>(features)};
  for (std::size_t k = 0; k < features; ++k) {
    const double mean_square = squares[k % group] / count;
    scaling.mean[k] = static_cast<T>(moments.mean[k]);
    scaling.factor[k] = static_cast<T>(mean_square > 0.0 ? 1.0 / std::sqrt(mean_square) : 1.0);
  }
  return scaling;
}

std::int64_t even_batch(std::int64_t rows, std::int64_t most) {
  if (rows == 0) return 1;
  const std::int64_t batches = (rows + most - 1) / most;
  return (rows + batches - 1) / batches;
}

template <class T>
void for_each_batch(const Source<T>& source, std::span<const std::int64_t> stimuli, std::int64_t most,
                    std::optional<std::uint32_t> seed, const std::function<void(const FactoredBatch<T>&)>& body) {
  std::vector<std::int64_t> order(stimuli.size());  // positions by stimulus
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::int64_t position) { return stimuli[position]; });
  auto begin = order.begin();
  source.for_each_block([&](std::int64_t first, MatrixView<T> block) {
    const auto end = std::find_if(begin, order.end(), [&](std::int64_t p) { return stimuli[p] >= first + block.rows; });
    const std::span<const std::int64_t> inside(begin, end);
    begin = end;
    const std::int64_t count = std::ssize(inside);
    if (count == 0) return;
    std::vector<std::int64_t> shuffled;
    if (seed) shuffled = legacy_permutation(*seed, count);
    const std::int64_t batches = (count + most - 1) / most;
    FactoredBatch<T> batch;
    for (std::int64_t k = 0; k < batches; ++k) {
      batch.positions.clear();
      batch.rows.clear();
      for (std::int64_t i = k * count / batches; i < (k + 1) * count / batches; ++i) {
        const std::int64_t position = inside[seed ? shuffled[i] : i];
        batch.positions.push_back(position);
        batch.rows.push_back(block.data + (stimuli[position] - first) * block.stride);
      }
      body(batch);
    }
  });
}

template struct FeatureScaling<float>;
template struct FeatureScaling<double>;
template FeatureScaling<float> feature_scaling(const CpuStream&, const Source<float>&, std::span<const std::int64_t>,
                                               std::int64_t, FeatureScale);
template FeatureScaling<double> feature_scaling(const CpuStream&, const Source<double>&, std::span<const std::int64_t>,
                                                std::int64_t, FeatureScale);
template void for_each_batch(const Source<float>&, std::span<const std::int64_t>, std::int64_t,
                             std::optional<std::uint32_t>, const std::function<void(const FactoredBatch<float>&)>&);
template void for_each_batch(const Source<double>&, std::span<const std::int64_t>, std::int64_t,
                             std::optional<std::uint32_t>, const std::function<void(const FactoredBatch<double>&)>&);

}  // namespace chiasm
