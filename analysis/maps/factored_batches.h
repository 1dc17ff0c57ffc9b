// SPDX-License-Identifier: Apache-2.0
// Batches of centred and scaled rows of a source, for training and prediction of the factored map.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "analysis/maps/factored_options.h"
#include "analysis/maps/source.h"

namespace chiasm {

// x' = (x - mean) * factor, one of each per feature, in the precision of the features: what rounding a mean leaves out
// is the same for all rows, and belongs to the bias.
template <class T>
struct FeatureScaling {
  std::vector<T> mean;
  std::vector<T> factor;

  void apply(const T* row, T* scaled) const;
};

// Means over `rows`, and factors 1 / (root of the mean square that is left), over all features or those of a channel;
// 1 where nothing varies. `channels` is the innermost axis of a row.
template <class T>
FeatureScaling<T> feature_scaling(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                                  std::int64_t channels, FeatureScale scale);

template <class T>
struct FactoredBatch {
  std::vector<std::int64_t> positions;  // of its rows in the list of stimuli
  std::vector<const T*> rows;           // raw, valid during the call
};

// The batch size where no batch is more than one smaller than the largest.
std::int64_t even_batch(std::int64_t rows, std::int64_t most);

// Calls body on all rows `stimuli` (which may repeat) in batches of at most `most`: in the order of a permutation of
// that seed, or as they lie in the source. A source that does not fit is read in blocks, and the permutation is within
// blocks.
template <class T>
void for_each_batch(const Source<T>& source, std::span<const std::int64_t> stimuli, std::int64_t most,
                    std::optional<std::uint32_t> seed, const std::function<void(const FactoredBatch<T>&)>& body);

}  // namespace chiasm
