// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/neural_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include "kernels/error.h"

namespace chiasm {
namespace {

// Bins count as inside a window whose ends they share up to rounding of times in seconds.
constexpr double kTimeTolerance = 1e-6;  // ms

void check_length(const std::string& file, const std::string& what, std::size_t found, std::int64_t needed) {
  if (found != 0 && static_cast<std::int64_t>(found) != needed) {
    throw FileError(file, what, fmt::format("there are {}, {} or none are needed", found, needed));
  }
}

void check_unique(const std::string& file, const std::string& what, const std::vector<std::string>& ids) {
  std::set<std::string> seen;
  for (const std::string& id : ids) {
    if (!seen.insert(id).second) throw FileError(file, what, fmt::format("\"{}\" occurs twice", id));
  }
}

void check_exist(const std::string& what, std::span<const std::int64_t> indices, std::int64_t count) {
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= count) {
      throw InputError(fmt::format("{} {} does not exist: there are {}", what, index, count));
    }
  }
}

template <class V>
std::vector<V> taken(const std::vector<V>& from, std::span<const std::int64_t> indices) {
  std::vector<V> values;
  if (from.empty()) return values;
  values.reserve(indices.size());
  for (const std::int64_t index : indices) values.push_back(from[static_cast<std::size_t>(index)]);
  return values;
}

NeuralDataset averaged(const NeuralDataset& dataset, std::int64_t first, std::int64_t last) {
  NeuralDataset result = dataset;
  const Shape& shape = dataset.responses.shape();
  result.responses = Tensor(Spec{dataset.responses.dtype(), shape.with(3, 1)});
  visit_floating(dataset.responses.dtype(), [&]<class T>() {
    const std::span<const T> from = dataset.responses.values<T>();
    const std::span<T> to = result.responses.values<T>();
    for (std::size_t i = 0; i < to.size(); ++i) {
      double sum = 0;
      for (std::int64_t bin = first; bin < last; ++bin) {
        sum += static_cast<double>(from[i * static_cast<std::size_t>(shape[3]) + static_cast<std::size_t>(bin)]);
      }
      to[i] = static_cast<T>(sum / static_cast<double>(last - first));
    }
  });
  if (!dataset.bin_starts_ms.empty()) {
    const double begin = dataset.bin_starts_ms[static_cast<std::size_t>(first)];
    result.bin_starts_ms = {begin};
    result.bin_width_ms = dataset.bin_starts_ms[static_cast<std::size_t>(last - 1)] + dataset.bin_width_ms - begin;
  }
  return result;
}

}  // namespace

void check_dataset(const NeuralDataset& dataset, const std::string& file) {
  const Spec& spec = dataset.responses.spec();
  if (spec.shape.rank() != 4 || !is_floating(spec.dtype)) {
    throw FileError(file, "responses",
                    "are " + to_string(spec) + ", floating-point numbers [unit, stimulus, repeat, time] are needed");
  }
  if (spec.shape.elements() == 0) {
    throw FileError(file, "responses", "are " + to_string(spec.shape) + ": there are none");
  }
  check_length(file, "unit ids", dataset.unit_ids.size(), dataset.units());
  check_length(file, "areas", dataset.areas.size(), dataset.units());
  check_length(file, "specimens", dataset.specimens.size(), dataset.units());
  check_length(file, "reliability", dataset.reliability.size(), dataset.units());
  check_length(file, "stimulus ids", dataset.stimulus_ids.size(), dataset.stimuli());
  check_length(file, "starts of time bins", dataset.bin_starts_ms.size(), dataset.bins());
  check_unique(file, "stimulus ids", dataset.stimulus_ids);
  for (std::size_t i = 0; i < dataset.bin_starts_ms.size(); ++i) {
    if (!std::isfinite(dataset.bin_starts_ms[i]) ||
        (i > 0 && !(dataset.bin_starts_ms[i] > dataset.bin_starts_ms[i - 1]))) {
      throw FileError(file, "starts of time bins",
                      fmt::format("number {} is {}, later ones are needed in order", i, dataset.bin_starts_ms[i]));
    }
  }
  if (std::isinf(dataset.bin_width_ms) || dataset.bin_width_ms <= 0) {
    throw FileError(file, "width of time bins", fmt::format("is {} ms", dataset.bin_width_ms));
  }
  visit_floating(spec.dtype, [&]<class T>() {
    const std::span<const T> values = dataset.responses.values<T>();
    const auto infinite = std::ranges::find_if(values, [](T value) { return std::isinf(value); });
    if (infinite != values.end()) {
      const std::int64_t at = infinite - values.begin(), bins = dataset.bins(), repeats = dataset.repeats();
      const std::int64_t trial = at / bins, stimulus = trial / repeats % dataset.stimuli();
      throw FileError(
          file, "responses",
          fmt::format(
              "the value of unit {} for stimulus {}{}, repeat {}{} is {}; all must be finite, or NaN "
              "where there was no trial",
              trial / repeats / dataset.stimuli(), stimulus,
              dataset.stimulus_ids.empty() ? "" : " (" + dataset.stimulus_ids[static_cast<std::size_t>(stimulus)] + ")",
              trial % repeats, bins > 1 ? fmt::format(", time bin {}", at % bins) : "", *infinite));
    }
  });
}

NeuralDataset select_units(const NeuralDataset& dataset, std::span<const std::int64_t> indices) {
  check_exist("unit", indices, dataset.units());
  NeuralDataset result = dataset;
  result.responses = Tensor(Spec{dataset.responses.dtype(), dataset.responses.shape().with(0, std::ssize(indices))});
  const std::size_t bytes =
      dataset.responses.bytes().size() / static_cast<std::size_t>(std::max<std::int64_t>(1, dataset.units()));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::memcpy(result.responses.bytes().data() + i * bytes,
                dataset.responses.bytes().data() + static_cast<std::size_t>(indices[i]) * bytes, bytes);
  }
  result.unit_ids = taken(dataset.unit_ids, indices);
  result.areas = taken(dataset.areas, indices);
  result.specimens = taken(dataset.specimens, indices);
  result.reliability = taken(dataset.reliability, indices);
  return result;
}

NeuralDataset select_units(const NeuralDataset& dataset, const std::function<bool(std::int64_t unit)>& keep) {
  std::vector<std::int64_t> indices;
  for (std::int64_t unit = 0; unit < dataset.units(); ++unit) {
    if (keep(unit)) indices.push_back(unit);
  }
  return select_units(dataset, indices);
}

NeuralDataset select_stimuli(const NeuralDataset& dataset, std::span<const std::int64_t> indices) {
  check_exist("stimulus", indices, dataset.stimuli());
  if (std::set<std::int64_t>(indices.begin(), indices.end()).size() != indices.size()) {
    throw InputError("a stimulus is chosen twice");
  }
  NeuralDataset result = dataset;
  result.responses = Tensor(Spec{dataset.responses.dtype(), dataset.responses.shape().with(1, std::ssize(indices))});
  const std::size_t bytes = dataset.responses.bytes().size() /
                            static_cast<std::size_t>(std::max<std::int64_t>(1, dataset.units() * dataset.stimuli()));
  std::byte* to = result.responses.bytes().data();
  for (std::int64_t unit = 0; unit < dataset.units(); ++unit) {
    for (const std::int64_t index : indices) {
      std::memcpy(to,
                  dataset.responses.bytes().data() + static_cast<std::size_t>(unit * dataset.stimuli() + index) * bytes,
                  bytes);
      to += bytes;
    }
  }
  result.stimulus_ids = taken(dataset.stimulus_ids, indices);
  return result;
}

std::vector<std::string> areas_of(const NeuralDataset& dataset) {
  if (dataset.areas.empty()) return {""};
  std::vector<std::string> areas;
  for (const std::string& area : dataset.areas) {
    if (std::ranges::find(areas, area) == areas.end()) areas.push_back(area);
  }
  return areas;
}

std::vector<SpecimenUnits> by_specimen(const NeuralDataset& dataset, const std::string& area) {
  const std::vector<std::string> known = areas_of(dataset);
  if (!area.empty() && std::ranges::find(known, area) == known.end()) {
    throw InputError(fmt::format("no unit is in area \"{}\"; there are {}", area,
                                 dataset.areas.empty() ? "no areas" : fmt::format("{}", fmt::join(known, ", "))));
  }
  std::vector<SpecimenUnits> groups;
  for (std::int64_t unit = 0; unit < dataset.units(); ++unit) {
    const auto index = static_cast<std::size_t>(unit);
    if (!area.empty() && dataset.areas[index] != area) continue;
    const std::string specimen = dataset.specimens.empty() ? "" : dataset.specimens[index];
    auto group = std::ranges::find(groups, specimen, &SpecimenUnits::specimen);
    if (group == groups.end()) group = groups.insert(groups.end(), {.specimen = specimen});
    group->units.push_back(unit);
  }
  return groups;
}

NeuralDataset average_time(const NeuralDataset& dataset) { return averaged(dataset, 0, dataset.bins()); }

NeuralDataset average_time(const NeuralDataset& dataset, double from_ms, double to_ms) {
  if (dataset.bin_starts_ms.empty() || std::isnan(dataset.bin_width_ms)) {
    throw InputError("the times of bins are not known; a window of time cannot be chosen");
  }
  const auto& starts = dataset.bin_starts_ms;
  std::int64_t first = 0;
  while (first < dataset.bins() && starts[static_cast<std::size_t>(first)] < from_ms - kTimeTolerance) ++first;
  std::int64_t last = first;
  while (last < dataset.bins() &&
         starts[static_cast<std::size_t>(last)] + dataset.bin_width_ms <= to_ms + kTimeTolerance) {
    ++last;
  }
  if (first == last) {
    throw InputError(
        fmt::format("no bin lies between {} and {} ms: there are {} of {} ms, the first begins at {} ms, the "
                    "last at {} ms",
                    from_ms, to_ms, dataset.bins(), dataset.bin_width_ms, starts.front(), starts.back()));
  }
  return averaged(dataset, first, last);
}

}  // namespace chiasm
