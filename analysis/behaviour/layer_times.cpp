// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/layer_times.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

void require_layers(std::span<const std::int64_t> units, int bins) {
  if (bins < 1) throw InputError(std::to_string(bins) + " time bins: allowed are 1 or more");
  if (units.empty()) throw InputError("time bins of a network without layers");
  for (std::size_t layer = 0; layer < units.size(); ++layer) {
    if (units[layer] < 1) throw InputError("layer " + std::to_string(layer) + " has no units");
  }
}

std::vector<std::int64_t> all_of(std::int64_t count) {
  std::vector<std::int64_t> units(static_cast<std::size_t>(count));
  std::iota(units.begin(), units.end(), 0);
  return units;
}

}  // namespace

std::vector<LayersOfBin> uniform_layer_times(std::span<const std::int64_t> units, int bins) {
  require_layers(units, bins);
  std::vector<LayersOfBin> times;
  for (int bin = 0; bin < bins; ++bin) {
    const std::size_t layer = static_cast<std::size_t>(bin) * units.size() / static_cast<std::size_t>(bins);
    times.push_back({{layer, all_of(units[layer])}});
  }
  return times;
}

std::vector<LayersOfBin> graded_layer_times(std::span<const std::int64_t> units, int bins, std::uint64_t seed) {
  require_layers(units, bins);
  std::vector<std::vector<std::int64_t>> orders;
  for (std::size_t layer = 0; layer < units.size(); ++layer) {
    std::vector<std::int64_t>& order = orders.emplace_back(all_of(units[layer]));
    const RandomStream random({seed, RandomPurpose::kShuffle, 0, 0, static_cast<std::uint32_t>(layer)});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i, i)]);
  }
  const auto first_of = [&](std::size_t layer, double share) {
    const auto wanted = static_cast<std::int64_t>(std::llround(share * static_cast<double>(units[layer])));
    const auto count = std::clamp<std::int64_t>(wanted, 1, units[layer]);
    LayerSample sample{layer, {orders[layer].begin(), orders[layer].begin() + count}};
    std::ranges::sort(sample.units);
    return sample;
  };
  std::vector<LayersOfBin> times;
  // Bin b lies at b * intervals / last, in whole numbers so that a layer's own bin is found exactly.
  const std::size_t intervals = units.size() - 1, last = static_cast<std::size_t>(std::max(1, bins - 1));
  for (std::size_t bin = 0; bin < static_cast<std::size_t>(bins); ++bin) {
    const std::size_t layer = bin * intervals / last, rest = bin * intervals % last;
    const double share = static_cast<double>(rest) / static_cast<double>(last);
    LayersOfBin& layers = times.emplace_back();
    layers.push_back(first_of(layer, 1.0 - share));
    if (rest > 0) layers.push_back(first_of(layer + 1, share));
  }
  return times;
}

template <class T>
Source<T> features_of_bin(std::span<const Source<T>> layers, const LayersOfBin& bin) {
  if (bin.size() == 1 && std::ssize(bin[0].units) == layers[bin[0].layer].units()) return layers[bin[0].layer];
  std::int64_t units = 0, most_bytes = 0;
  std::vector<Source<T>> sources;
  for (const LayerSample& sample : bin) {
    sources.push_back(layers[sample.layer]);
    units += std::ssize(sample.units);
    most_bytes = std::max(most_bytes, sources.back().most_bytes());
  }
  const std::int64_t stimuli = sources.front().stimuli();
  return Source<T>(
      stimuli, units,
      [bin, sources, units](std::int64_t first, std::int64_t count) {
        std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
        std::iota(indices.begin(), indices.end(), first);
        Matrix<T> chosen(count, units);
        std::int64_t begin = 0;
        for (std::size_t part = 0; part < bin.size(); ++part) {
          const Matrix<T> rows = sources[part].rows(indices);
          for (std::int64_t i = 0; i < count; ++i) {
            std::int64_t k = begin;
            for (const std::int64_t unit : bin[part].units) chosen(i, k++) = rows(i, unit);
          }
          begin += std::ssize(bin[part].units);
        }
        return chosen;
      },
      most_bytes);
}

template Source<float> features_of_bin(std::span<const Source<float>>, const LayersOfBin&);
template Source<double> features_of_bin(std::span<const Source<double>>, const LayersOfBin&);

}  // namespace chiasm
