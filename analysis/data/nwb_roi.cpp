// SPDX-License-Identifier: Apache-2.0
// NWB, optical physiology: fluorescence of regions of interest (RoiResponseSeries below /processing), averaged over the
// samples in each time bin after the starts of trials.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/data/neural_formats.h"
#include "analysis/data/nwb_trials.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// Groups that hold a series of regions: "data" [time, region] and when its samples were taken.
std::vector<std::string> find_series(const Hdf5Reader& file) {
  std::vector<std::string> found;
  const auto is_group = [&](const std::string& path) { return file.kind(path) == Hdf5Reader::Kind::kGroup; };
  const auto is_series = [&](const std::string& path) {
    return file.kind(path + "/data") == Hdf5Reader::Kind::kNumbers && file.shape(path + "/data").rank() == 2 &&
           (file.has(path + "/timestamps") || file.has(path + "/starting_time"));
  };
  if (!is_group("/processing")) return found;
  for (const std::string& module : file.names("/processing")) {
    const std::string in_module = "/processing/" + module;
    if (!is_group(in_module)) continue;
    for (const std::string& name : file.names(in_module)) {
      const std::string container = in_module + "/" + name;
      if (!is_group(container)) continue;
      if (is_series(container)) found.push_back(container);
      for (const std::string& series : file.names(container)) {
        const std::string path = container + "/" + series;
        if (is_group(path) && is_series(path)) found.push_back(path);
      }
    }
  }
  return found;
}

// The series `chosen`, else the only one, else the only one of dF/F.
std::string choose_series(const Hdf5Reader& file, const std::string& chosen) {
  const std::vector<std::string> all = find_series(file);
  const std::string path = chosen.empty() || chosen.starts_with('/') ? chosen : "/" + chosen;
  if (!path.empty()) {
    for (const std::string& series : all) {
      if (path == series || path == series + "/data") return series;
    }
    throw InputError(fmt::format("{}: \"{}\" is no series of regions of interest; there are {}", file.path(), chosen,
                                 fmt::join(all, ", ")));
  }
  if (all.size() == 1) return all.front();
  std::vector<std::string> relative;
  std::ranges::copy_if(all, std::back_inserter(relative),
                       [](const std::string& series) { return series.find("/DfOverF") != series.npos; });
  if (relative.size() == 1) return relative.front();
  throw FileError(file.path(), "/processing",
                  fmt::format("holds several series; say which one: {}", fmt::join(all, ", ")));
}

// When each of the samples was taken, in seconds, ascending.
std::vector<double> sample_times(const Hdf5Reader& file, const std::string& series, std::int64_t samples) {
  std::vector<double> times;
  if (file.has(series + "/timestamps")) {
    times = nwb_column(file, series + "/timestamps", samples);
  } else {
    const std::string start = series + "/starting_time";
    const std::vector<double> rate = file.numbers(start, "rate");
    const Tensor first = file.read(start);
    if (rate.size() != 1 || !(rate[0] > 0.0) || first.elements() != 1) {
      throw FileError(file.path(), start, "is not one time with a rate above 0");
    }
    const double begin = visit_any(first.dtype(), [&]<class T>() { return static_cast<double>(first.values<T>()[0]); });
    for (std::int64_t i = 0; i < samples; ++i) times.push_back(begin + static_cast<double>(i) / rate[0]);
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (std::isfinite(times[i]) && (i == 0 || times[i] >= times[i - 1])) continue;
    throw FileError(file.path(), series,
                    fmt::format("sample {} was taken at {}, after {}", i, times[i], i == 0 ? 0.0 : times[i - 1]));
  }
  return times;
}

}  // namespace

bool is_nwb_roi(const Hdf5Reader& file) {
  return file.kind("/intervals") == Hdf5Reader::Kind::kGroup && !find_series(file).empty();
}

NeuralDataset read_nwb_roi(const Hdf5Reader& file, const NeuralReadOptions& options) {
  refuse_option(options.axes, "axes", file.path(), "NWB");
  const std::string series = choose_series(file, options.key), data = series + "/data";
  const Shape shape = file.shape(data);
  const std::int64_t regions = shape[1];
  const std::vector<double> times = sample_times(file, series, shape[0]);
  NeuralDataset dataset;
  const NwbTrials trials = read_nwb_trials(file, options, dataset.notes);
  const StimulusIndex& index = trials.index;
  dataset.responses = missing_responses(DType::kFloat64, {regions, std::ssize(index.ids), index.repeats, trials.bins},
                                        regions * trials.count() * trials.bins, file.path());
  const std::span<double> responses = dataset.responses.values<double>();
  const auto sample_at = [&](double time) { return std::ranges::lower_bound(times, time) - times.begin(); };
  std::int64_t used = 0, empty = 0;
  for (std::int64_t trial = 0; trial < trials.count(); ++trial) {
    const auto t = static_cast<std::size_t>(trial);
    for (std::int64_t bin = 0; bin < trials.bins; ++bin) {
      // A bin holds its beginning, not its end.
      const std::int64_t first = sample_at(trials.edge(trial, bin)), end = sample_at(trials.edge(trial, bin + 1));
      if (first == end) {
        ++empty;  // stays missing
        continue;
      }
      const Tensor samples = file.read(data, {first, 0}, {end - first, regions});
      used += end - first;
      for (std::int64_t region = 0; region < regions; ++region) {
        double sum = 0.0;
        visit_any(samples.dtype(), [&]<class T>() {
          const T* const values = samples.values<T>().data();
          for (std::int64_t i = 0; i < end - first; ++i) sum += static_cast<double>(values[i * regions + region]);
        });
        responses[static_cast<std::size_t>(dataset.offset(region, index.stimulus[t], index.repeat[t], bin))] =
            sum / static_cast<double>(end - first);
      }
    }
  }
  if (used == 0 && !times.empty()) {
    throw_outside_trials(file, series, trials, "sample", times.front(), times.back());
  }
  if (empty > 0) {
    dataset.notes.push_back(fmt::format("{}: {} of {} bins of trials hold no sample and are missing", series, empty,
                                        trials.count() * trials.bins));
  }
  label_trials(trials, dataset);
  if (!options.areas.empty()) dataset.areas = hdf5_labels(file, options.areas);
  if (!options.specimens.empty()) {
    dataset.specimens = hdf5_labels(file, options.specimens);
  } else {
    label_subject(file, dataset);
  }
  return dataset;
}

}  // namespace chiasm
