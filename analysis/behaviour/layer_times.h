// SPDX-License-Identifier: Apache-2.0
// Which units of a network without time stand for each time bin (spec/neural_analysis.md section 10).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/source.h"
#include "kernels/stream.h"

namespace chiasm {

// Some units of one layer, ascending.
struct LayerSample {
  std::size_t layer = 0;
  std::vector<std::int64_t> units;
  bool operator==(const LayerSample&) const = default;
};
using LayersOfBin = std::vector<LayerSample>;  // one or two neighbouring layers

// Uniform: bin b is all units of layer floor(b * layers / bins), each layer for as many bins as the others (up to one);
// with more layers than bins some are left out. `units` counts those of each layer, in the order of the network. Throws
// InputError without layers or bins.
std::vector<LayersOfBin> uniform_layer_times(std::span<const std::int64_t> units, int bins);

// Graded: the layers lie at equal distances from the first bin to the last. A bin at the share s of the way from one
// layer to the next has round((1 - s) n) of the n units of the one and round(s m) of the m units of the other, at least
// one of a layer with s strictly between. They are taken from the front of one random order of the units of each layer,
// so that from bin to bin units leave one layer and join the next. Throws InputError without layers or bins.
std::vector<LayersOfBin> graded_layer_times(std::span<const std::int64_t> units, int bins, std::uint64_t seed);

// The features of a bin: the chosen units of `layers`, side by side. A whole layer is that source itself. `layers` are
// shared; rows are read from them when the result's are. REQUIRES: the layers and units exist, equal numbers of
// stimuli.
template <class T>
Source<T> features_of_bin(std::span<const Source<T>> layers, const LayersOfBin& bin);

}  // namespace chiasm
