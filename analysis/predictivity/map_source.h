// SPDX-License-Identifier: Apache-2.0
// What a map predicts from, for every split and bootstrap: the features of a model, which are the same for all trials,
// or other animals, whose trials are halved as well.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/maps/map.h"
#include "analysis/reliability/trials.h"

namespace chiasm {

// One prepared map per split.
template <class T>
using PreparedSplits = std::shared_ptr<const std::vector<std::unique_ptr<PreparedMap<T>>>>;

template <class T>
struct PreparedHalves {
  PreparedSplits<T> first, second;
};

// Members are thread-safe.
template <class T>
class MapSource {
 public:
  virtual ~MapSource() = default;
  virtual PreparedSplits<T> means(const CpuStream& stream) const = 0;
  virtual PreparedHalves<T> halves(const CpuStream& stream, std::uint32_t draw) const = 0;
};

// `bins` rows of a source belong to each stimulus of the splits: a map that is the same for all time bins.
Split expand_bins(const Split& split, std::int64_t bins);

// A deterministic source: prepared once, for all halves and all targets.
template <class T>
std::unique_ptr<MapSource<T>> model_source(const CpuStream& stream, const MapMethod<T>& method, const Source<T>& source,
                                           const std::vector<Split>& splits, std::int64_t bins = 1);

struct AnimalSourceConfig {
  std::uint64_t seed = 0;      // of the halves; that of the target's, so that pairs of an animal agree
  std::int64_t subsample = 0;  // so many units, drawn anew for each draw; 0: all
};
// The units of all `animals` side by side, each halved independently of the others; units that lack a response to a
// stimulus are left out of that draw. `method` and `animals` outlive it. Throws InputError when the animals saw
// different numbers of stimuli or bins, or none is given.
template <class T>
std::unique_ptr<MapSource<T>> animal_source(const MapMethod<T>& method, std::vector<const Trials*> animals,
                                            const std::vector<Split>& splits, const AnimalSourceConfig& config);

}  // namespace chiasm
