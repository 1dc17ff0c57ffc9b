// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/nwb_trials.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "analysis/data/neural_formats.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kMsPerSecond = 1000.0;

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

}  // namespace

std::vector<double> nwb_column(const Hdf5Reader& file, const std::string& path, std::int64_t rows) {
  const Shape shape = file.shape(path);
  if (shape.rank() != 1 || (rows >= 0 && shape[0] != rows)) {
    throw FileError(file.path(), path,
                    "is " + to_string(shape) + (rows >= 0 ? ", " + std::to_string(rows) + " rows are needed" : ""));
  }
  const Tensor values = file.read(path);
  return visit_any(values.dtype(), [&]<class T>() {
    return std::vector<double>(values.values<T>().begin(), values.values<T>().end());
  });
}

double NwbTrials::edge(std::int64_t trial, std::int64_t bin) const {
  return starts[static_cast<std::size_t>(trial)] +
         (first_bin_ms + static_cast<double>(bin) * bin_width_ms) / kMsPerSecond;
}

double NwbTrials::begin() const { return std::ranges::min(starts) + first_bin_ms / kMsPerSecond; }

double NwbTrials::end() const {
  return std::ranges::max(starts) + (first_bin_ms + static_cast<double>(bins) * bin_width_ms) / kMsPerSecond;
}

NwbTrials read_nwb_trials(const Hdf5Reader& file, const NeuralReadOptions& options, std::vector<std::string>& notes) {
  NwbTrials trials;
  trials.table = choose_intervals(file, options.intervals);
  const std::vector<double> starts = nwb_column(file, trials.table + "/start_time");
  const std::vector<double> stops = nwb_column(file, trials.table + "/stop_time", std::ssize(starts));
  const std::string column = choose_column(file, trials.table, options.stimulus_ids);
  const std::vector<std::string> shown = hdf5_labels(file, column);
  if (shown.size() != starts.size()) {
    throw FileError(file.path(), column, fmt::format("has {} rows, there are {} trials", shown.size(), starts.size()));
  }
  if (starts.empty()) throw FileError(file.path(), trials.table, "holds no trials");
  double shortest = std::numeric_limits<double>::infinity();
  std::set<std::pair<double, double>> seen;
  std::int64_t repeated = 0;
  std::vector<std::string> stimuli;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (is_missing_id(shown[i])) continue;
    if (!std::isfinite(starts[i])) {
      throw FileError(file.path(), trials.table, fmt::format("trial {} starts at {}", i, starts[i]));
    }
    if (std::isfinite(stops[i])) {
      shortest = std::min(shortest, stops[i] - starts[i]);
      repeated += !seen.emplace(starts[i], stops[i]).second;
    }
    trials.starts.push_back(starts[i]);
    stimuli.push_back(shown[i]);
  }
  if (stimuli.empty()) throw FileError(file.path(), column, "names no stimulus for any trial");
  if (stimuli.size() < shown.size()) {
    notes.push_back(fmt::format("{}: {} of {} trials have no stimulus and are left out", column,
                                shown.size() - stimuli.size(), shown.size()));
  }
  if (repeated > 0) {
    notes.push_back(fmt::format("{}: {} of {} trials begin and end at the same time as another", trials.table, repeated,
                                stimuli.size()));
  }
  trials.index = index_stimuli(stimuli);
  const Bins bins = choose_bins(file.path(), options, shortest * kMsPerSecond);
  trials.first_bin_ms = bins.first_ms;
  trials.bin_width_ms = bins.width_ms;
  trials.bins = bins.count;
  return trials;
}

void label_trials(const NwbTrials& trials, NeuralDataset& dataset) {
  dataset.stimulus_ids = trials.index.ids;
  for (std::int64_t bin = 0; bin < trials.bins; ++bin) {
    dataset.bin_starts_ms.push_back(trials.first_bin_ms + static_cast<double>(bin) * trials.bin_width_ms);
  }
  dataset.bin_width_ms = trials.bin_width_ms;
}

void label_subject(const Hdf5Reader& file, NeuralDataset& dataset) {
  if (!file.has("/general/subject/subject_id")) return;
  const std::vector<std::string> subject = hdf5_labels(file, "/general/subject/subject_id");
  if (subject.size() == 1) dataset.specimens.assign(static_cast<std::size_t>(dataset.units()), subject.front());
}

void throw_outside_trials(const Hdf5Reader& file, const std::string& path, const NwbTrials& trials,
                          const std::string& what, double first, double last) {
  const double begin = trials.begin(), end = trials.end();
  const auto meets = [](double a, double b, double c, double d) { return a <= d && c <= b; };
  const char* guess = "";
  if (meets(first / kMsPerSecond, last / kMsPerSecond, begin, end)) {
    guess = "; are the former in milliseconds?";
  } else if (meets(first, last, begin / kMsPerSecond, end / kMsPerSecond)) {
    guess = "; are the trials in milliseconds?";
  }
  throw FileError(file.path(), path,
                  fmt::format("no {} lies in a trial: they are from {:g} to {:g} s, trials of {} from {:g} to {:g} s{}",
                              what, first, last, trials.table, begin, end, guess));
}

}  // namespace chiasm
