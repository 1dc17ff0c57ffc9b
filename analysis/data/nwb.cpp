// SPDX-License-Identifier: Apache-2.0
// NWB: spikes of units, counted in bins after the starts of trials. Times in the file are seconds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "analysis/data/neural_formats.h"
#include "analysis/data/stimulus_index.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr const char* kSpikes = "/units/spike_times";
constexpr const char* kElectrodes = "/general/extracellular_ephys/electrodes";
constexpr double kMsPerSecond = 1000.0;

std::vector<double> numbers_of(const Tensor& tensor) {
  return visit_any(tensor.dtype(), [&]<class T>() {
    return std::vector<double>(tensor.values<T>().begin(), tensor.values<T>().end());
  });
}

// A column of a table: one number or text per row.
std::vector<double> column(const Hdf5Reader& file, const std::string& path, std::int64_t rows) {
  const Shape shape = file.shape(path);
  if (shape.rank() != 1 || (rows >= 0 && shape[0] != rows)) {
    throw FileError(file.path(), path,
                    "is " + to_string(shape) + (rows >= 0 ? ", " + std::to_string(rows) + " rows are needed" : ""));
  }
  return numbers_of(file.read(path));
}

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

std::string known_names(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string choose_intervals(const Hdf5Reader& file, const std::string& chosen) {
  if (file.kind("/intervals") != Hdf5Reader::Kind::kGroup) {
    throw FileError(file.path(), "/intervals", "is missing: there are spikes, but no trials");
  }
  std::vector<std::string> tables;
  for (const std::string& name : file.names("/intervals")) {
    if (file.has("/intervals/" + name + "/start_time")) tables.push_back(name);
  }
  if (!chosen.empty()) {
    if (std::ranges::find(tables, chosen) != tables.end()) return "/intervals/" + chosen;
    throw InputError(fmt::format("{}: there are no intervals \"{}\"; there are {}", file.path(), chosen,
                                 tables.empty() ? "none" : known_names(tables)));
  }
  if (std::ranges::find(tables, "trials") != tables.end()) return "/intervals/trials";
  // These two say when the animal was recorded, not what it saw.
  std::erase_if(tables, [](const std::string& name) { return name == "epochs" || name == "invalid_times"; });
  if (tables.size() == 1) return "/intervals/" + tables.front();
  throw FileError(file.path(), "/intervals",
                  tables.empty() ? "holds no trials" : "holds several tables; say which one: " + known_names(tables));
}

std::string choose_column(const Hdf5Reader& file, const std::string& table, const std::string& chosen) {
  if (!chosen.empty() && file.has(table + "/" + chosen)) return table + "/" + chosen;
  const std::vector<std::string> names = file.names(table);
  if (chosen.empty()) {
    for (const char* name : {"stimulus_id", "image_id", "frame", "image_name", "stimulus", "condition"}) {
      if (std::ranges::find(names, name) != names.end()) return table + "/" + name;
    }
  }
  throw InputError(fmt::format("{}: {} the column of {} that tells stimuli apart; it has {}", file.path(),
                               chosen.empty() ? "say which is" : "\"" + chosen + "\" is not", table,
                               known_names(names)));
}

struct Bins {
  double first_ms = 0;
  double width_ms = 0;
  std::int64_t count = 0;
};

Bins choose_bins(const std::string& file, const NeuralReadOptions& options, double shortest_ms) {
  constexpr double kRounding = 1e-6;  // of times in seconds, in bins
  constexpr double kMostBins = 1e6;
  Bins bins{options.first_bin_ms, options.bin_width_ms, options.bins};
  if (bins.width_ms == 0 && bins.count <= 1) {
    bins = {bins.first_ms, shortest_ms - bins.first_ms, 1};
  } else if (bins.count == 0) {
    const double fit = std::floor((shortest_ms - bins.first_ms) / bins.width_ms + kRounding);
    bins.count = static_cast<std::int64_t>(std::clamp(fit, 0.0, kMostBins));
  }
  if (!(bins.width_ms > 0) || !std::isfinite(bins.width_ms) || !std::isfinite(bins.first_ms) || bins.count < 1 ||
      static_cast<double>(bins.count) >= kMostBins) {
    throw InputError(fmt::format("{}: {} bins of {:g} ms from {:g} ms on cannot be; the shortest trial takes {:g} ms",
                                 file, bins.count, bins.width_ms, bins.first_ms, shortest_ms));
  }
  return bins;
}

// The spikes of a unit, in order.
std::vector<double> spikes_of(const Hdf5Reader& file, std::int64_t begin, std::int64_t end) {
  std::vector<double> times = numbers_of(file.read(kSpikes, {begin}, {end - begin}));
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
  } else if (file.has("/general/subject/subject_id")) {
    const std::vector<std::string> subject = hdf5_labels(file, "/general/subject/subject_id");
    if (subject.size() == 1) dataset.specimens.assign(static_cast<std::size_t>(dataset.units()), subject.front());
  }
}

}  // namespace

bool is_nwb(const Hdf5Reader& file) { return file.has(kSpikes) && file.has("/units/spike_times_index"); }

NeuralDataset read_nwb(const Hdf5Reader& file, const NeuralReadOptions& options) {
  refuse_option(options.key, "key", file.path(), "NWB");
  refuse_option(options.axes, "axes", file.path(), "NWB");
  const std::string table = choose_intervals(file, options.intervals);
  const std::vector<double> starts = column(file, table + "/start_time", -1);
  const std::vector<double> stops = column(file, table + "/stop_time", std::ssize(starts));
  const std::string stimulus = choose_column(file, table, options.stimulus_ids);
  const StimulusIndex index = index_stimuli(hdf5_labels(file, stimulus));
  if (index.stimulus.size() != starts.size()) {
    throw FileError(file.path(), stimulus,
                    fmt::format("has {} rows, there are {} trials", index.stimulus.size(), starts.size()));
  }
  if (starts.empty()) throw FileError(file.path(), table, "holds no trials");
  double shortest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (!std::isfinite(starts[i]))
      throw FileError(file.path(), table, fmt::format("trial {} starts at {}", i, starts[i]));
    if (std::isfinite(stops[i])) shortest = std::min(shortest, stops[i] - starts[i]);
  }
  const Bins bins = choose_bins(file.path(), options, shortest * kMsPerSecond);

  const Shape spikes = file.shape(kSpikes);
  if (spikes.rank() != 1) throw FileError(file.path(), kSpikes, "is " + to_string(spikes) + ", a list is needed");
  const std::vector<std::int64_t> ends = ends_of(file, "/units/spike_times_index", spikes[0]);
  NeuralDataset dataset;
  const std::int64_t units = std::ssize(ends), trials = std::ssize(starts);
  dataset.responses = missing_responses(DType::kFloat64, {units, std::ssize(index.ids), index.repeats, bins.count},
                                        units * trials * bins.count, file.path());
  const std::span<double> rates = dataset.responses.values<double>();
  std::vector<double> edges(static_cast<std::size_t>(bins.count + 1));
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    const std::vector<double> times = spikes_of(file, i == 0 ? 0 : ends[i - 1], ends[i]);
    for (std::size_t trial = 0; trial < starts.size(); ++trial) {
      for (std::size_t edge = 0; edge < edges.size(); ++edge) {
        edges[edge] = starts[trial] + (bins.first_ms + static_cast<double>(edge) * bins.width_ms) / kMsPerSecond;
      }
      const auto first = static_cast<std::size_t>(dataset.offset(unit, index.stimulus[trial], index.repeat[trial]));
      // A bin holds its beginning, not its end.
      auto from = std::ranges::lower_bound(times, edges[0]);
      for (std::size_t bin = 0; bin + 1 < edges.size(); ++bin) {
        const auto to = std::lower_bound(from, times.end(), edges[bin + 1]);
        rates[first + bin] = static_cast<double>(to - from) / (bins.width_ms / kMsPerSecond);
        from = to;
      }
    }
  }
  dataset.stimulus_ids = index.ids;
  for (std::int64_t bin = 0; bin < bins.count; ++bin) {
    dataset.bin_starts_ms.push_back(bins.first_ms + static_cast<double>(bin) * bins.width_ms);
  }
  dataset.bin_width_ms = bins.width_ms;
  label_units(file, options, dataset);
  return dataset;
}

}  // namespace chiasm
