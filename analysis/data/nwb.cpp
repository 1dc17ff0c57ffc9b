// SPDX-License-Identifier: Apache-2.0
// NWB: spikes of units, counted in bins after the starts of trials. Times in the file are seconds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "analysis/data/neural_formats.h"
#include "analysis/data/nwb_trials.h"
#include "analysis/data/stimulus_index.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr const char* kSpikes = "/units/spike_times";
constexpr const char* kElectrodes = "/general/extracellular_ephys/electrodes";
constexpr double kMsPerSecond = 1000.0;

// Where the entries of each row of a column of lists end, as NWB's index columns say. Throws FileError unless they
// follow each other within `entries`.
std::vector<std::int64_t> ends_of(const Hdf5Reader& file, const std::string& path, std::int64_t entries) {
  std::vector<std::int64_t> ends = file.integers(path);
  std::int64_t before = 0;
  for (const std::int64_t end : ends) {
    if (end < before || end > entries) {
      throw FileError(file.path(), path, fmt::format("says {} after {}, of {} entries", end, before, entries));
    }
    before = end;
  }
  return ends;
}

// The spikes of a unit, in order.
std::vector<double> spikes_of(const Hdf5Reader& file, std::int64_t begin, std::int64_t end) {
  const Tensor read = file.read(kSpikes, {begin}, {end - begin});
  std::vector<double> times = visit_any(
      read.dtype(), [&]<class T>() { return std::vector<double>(read.values<T>().begin(), read.values<T>().end()); });
  for (const double time : times) {
    if (!std::isfinite(time)) throw FileError(file.path(), kSpikes, fmt::format("holds the time {}", time));
  }
  std::ranges::sort(times);
  return times;
}

// The area of each unit: that of its first electrode; empty when the file does not say it.
std::vector<std::string> areas_of_units(const Hdf5Reader& file, std::int64_t units) {
  const std::string location = std::string(kElectrodes) + "/location";
  if (!file.has(location)) return {};
  const std::vector<std::string> places = hdf5_labels(file, location);
  std::vector<std::string> areas(static_cast<std::size_t>(units));
  const auto set = [&](std::size_t unit, std::int64_t row, const std::string& path) {
    if (row < 0 || row >= std::ssize(places)) {
      throw FileError(file.path(), path, fmt::format("says electrode {} of {}", row, places.size()));
    }
    areas[unit] = places[static_cast<std::size_t>(row)];
  };
  if (file.has("/units/electrodes")) {
    const std::vector<std::int64_t> rows = file.integers("/units/electrodes");
    std::vector<std::int64_t> ends;
    if (file.has("/units/electrodes_index")) {
      ends = ends_of(file, "/units/electrodes_index", std::ssize(rows));
    } else {
      for (std::int64_t i = 0; i < std::ssize(rows); ++i) ends.push_back(i + 1);
    }
    if (std::ssize(ends) != units) throw FileError(file.path(), "/units/electrodes", "are not those of all units");
    for (std::size_t unit = 0; unit < ends.size(); ++unit) {
      const std::int64_t begin = unit == 0 ? 0 : ends[unit - 1];
      if (begin < ends[unit]) set(unit, rows[static_cast<std::size_t>(begin)], "/units/electrodes");
    }
    return areas;
  }
  // Recordings of the Allen Institute name the channel instead.
  if (!file.has("/units/peak_channel_id") || !file.has(std::string(kElectrodes) + "/id")) return {};
  const std::vector<std::int64_t> channels = file.integers("/units/peak_channel_id");
  const std::vector<std::int64_t> ids = file.integers(std::string(kElectrodes) + "/id");
  if (std::ssize(channels) != units) throw FileError(file.path(), "/units/peak_channel_id", "is not that of all units");
  std::unordered_map<std::int64_t, std::int64_t> row;
  for (std::size_t i = 0; i < ids.size(); ++i) row.emplace(ids[i], static_cast<std::int64_t>(i));
  for (std::size_t unit = 0; unit < channels.size(); ++unit) {
    const auto found = row.find(channels[unit]);
    if (found != row.end()) set(unit, found->second, "/units/peak_channel_id");
  }
  return areas;
}

void label_units(const Hdf5Reader& file, const NeuralReadOptions& options, NeuralDataset& dataset) {
  const auto labels = [&](const std::string& name) { return hdf5_labels(file, "/units/" + name); };
  if (!options.unit_ids.empty() || file.has("/units/id")) {
    dataset.unit_ids = labels(options.unit_ids.empty() ? "id" : options.unit_ids);
  }
  dataset.areas = options.areas.empty() ? areas_of_units(file, dataset.units()) : labels(options.areas);
  if (!options.specimens.empty()) {
    dataset.specimens = labels(options.specimens);
  } else {
    label_subject(file, dataset);
  }
}

}  // namespace

bool is_nwb(const Hdf5Reader& file) { return file.has(kSpikes) && file.has("/units/spike_times_index"); }

NeuralDataset read_nwb(const Hdf5Reader& file, const NeuralReadOptions& options) {
  refuse_option(options.key, "key", file.path(), "NWB");
  refuse_option(options.axes, "axes", file.path(), "NWB");
  NeuralDataset dataset;
  const NwbTrials trials = read_nwb_trials(file, options, dataset.notes);
  const Shape spikes = file.shape(kSpikes);
  if (spikes.rank() != 1) throw FileError(file.path(), kSpikes, "is " + to_string(spikes) + ", a list is needed");
  const std::vector<std::int64_t> ends = ends_of(file, "/units/spike_times_index", spikes[0]);
  const std::int64_t units = std::ssize(ends);
  const StimulusIndex& index = trials.index;
  dataset.responses = missing_responses(DType::kFloat64, {units, std::ssize(index.ids), index.repeats, trials.bins},
                                        units * trials.count() * trials.bins, file.path());
  const std::span<double> rates = dataset.responses.values<double>();
  std::int64_t counted = 0;
  double first_spike = std::numeric_limits<double>::infinity(), last_spike = -first_spike;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    const std::vector<double> times = spikes_of(file, i == 0 ? 0 : ends[i - 1], ends[i]);
    if (!times.empty()) {
      first_spike = std::min(first_spike, times.front());
      last_spike = std::max(last_spike, times.back());
    }
    for (std::int64_t trial = 0; trial < trials.count(); ++trial) {
      const auto t = static_cast<std::size_t>(trial);
      const auto first = static_cast<std::size_t>(dataset.offset(unit, index.stimulus[t], index.repeat[t]));
      // A bin holds its beginning, not its end.
      auto from = std::ranges::lower_bound(times, trials.edge(trial, 0));
      for (std::int64_t bin = 0; bin < trials.bins; ++bin) {
        const auto to = std::lower_bound(from, times.end(), trials.edge(trial, bin + 1));
        rates[first + static_cast<std::size_t>(bin)] =
            static_cast<double>(to - from) / (trials.bin_width_ms / kMsPerSecond);
        counted += to - from;
        from = to;
      }
    }
  }
  if (counted == 0 && first_spike <= last_spike) {
    throw_outside_trials(file, kSpikes, trials, "spike of any unit", first_spike, last_spike);
  }
  label_trials(trials, dataset);
  label_units(file, options, dataset);
  return dataset;
}

}  // namespace chiasm
