// SPDX-License-Identifier: Apache-2.0
// Responses as text: a matrix, or one response per line with its unit, stimulus, repeat and time.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <initializer_list>
#include <map>
#include <set>
#include <unordered_map>

#include "analysis/data/axis_names.h"
#include "analysis/data/csv_table.h"
#include "analysis/data/neural_formats.h"
#include "analysis/data/stimulus_index.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The column called `chosen`, or with the first of the usual names; -1: none.
int find_column(const std::vector<std::string>& header, const std::string& chosen,
                std::initializer_list<const char*> usual) {
  if (!chosen.empty()) {
    const auto found = std::ranges::find(header, chosen);
    return found == header.end() ? -1 : static_cast<int>(found - header.begin());
  }
  for (const char* name : usual) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (lower(header[i]) == name) return static_cast<int>(i);
    }
  }
  return -1;
}

// Which column of a table of one response per line is what.
struct Columns {
  int unit = -1, stimulus = -1, repeat = -1, time = -1, value = -1, area = -1, specimen = -1;
  bool complete() const { return unit >= 0 && stimulus >= 0 && value >= 0; }
};

Columns columns_of(const std::vector<std::string>& header, const NeuralReadOptions& options) {
  return {.unit = find_column(header, options.unit_ids, {"unit_id", "neuroid_id", "unit", "neuron", "neuroid", "cell"}),
          .stimulus =
              find_column(header, options.stimulus_ids, {"stimulus_id", "image_id", "stimulus", "image", "image_name"}),
          .repeat = find_column(header, "", {"repeat", "trial", "repetition"}),
          .time = find_column(header, "", {"time_ms", "bin_start_ms", "time_bin_start", "time"}),
          .value = find_column(header, options.key, {"response", "value", "rate"}),
          .area = find_column(header, options.areas, {"area", "region"}),
          .specimen = find_column(header, options.specimens, {"specimen", "animal", "subject"})};
}

// Ids in the order in which they come, each once.
class Ids {
 public:
  std::int64_t operator()(const std::string& id) {
    const auto [known, is_new] = places_.emplace(id, std::ssize(ids_));
    if (is_new) ids_.push_back(id);
    return known->second;
  }
  const std::vector<std::string>& ids() const { return ids_; }

 private:
  std::unordered_map<std::string, std::int64_t> places_;
  std::vector<std::string> ids_;
};

// The label of a unit, which every line has to say alike.
void set_label(std::vector<std::string>& labels, std::int64_t unit, const std::string& label, const CsvReader& file) {
  if (unit == std::ssize(labels)) labels.push_back(label);
  if (labels[static_cast<std::size_t>(unit)] != label) {
    throw FileError(file.path(), "line " + std::to_string(file.line()),
                    fmt::format("says \"{}\" of a unit of which another line says \"{}\"", label,
                                labels[static_cast<std::size_t>(unit)]));
  }
}

struct Line {
  std::int64_t unit = 0, stimulus = 0, repeat = 0;
  double time = 0, value = 0;
  std::int64_t line = 0;
};

NeuralDataset read_lines(CsvReader& file, const std::vector<std::string>& header, const Columns& columns) {
  NeuralDataset dataset;
  Ids units, stimuli, repeats;
  std::vector<std::string> stimulus_of;
  std::vector<Line> lines;
  std::map<double, std::int64_t> times;
  std::map<std::array<std::int64_t, 2>, std::map<double, std::int64_t>> seen;  // repeats by unit, stimulus and time
  std::vector<std::string> cells;
  std::int64_t left_out = 0;
  const auto number = [&](int column) {
    const std::optional<double> found = csv_number(cells[static_cast<std::size_t>(column)]);
    if (!found) {
      throw FileError(file.path(), "line " + std::to_string(file.line()),
                      fmt::format("{} is \"{}\", a number is needed", header[static_cast<std::size_t>(column)],
                                  cells[static_cast<std::size_t>(column)].substr(0, 40)));
    }
    return *found;
  };
  while (file.next(cells)) {
    if (cells.size() != header.size()) {
      throw FileError(file.path(), "line " + std::to_string(file.line()),
                      fmt::format("has {} cells, the first row has {}", cells.size(), header.size()));
    }
    const auto text = [&](int column) -> const std::string& { return cells[static_cast<std::size_t>(column)]; };
    if (is_missing_id(text(columns.stimulus))) {
      ++left_out;
      continue;
    }
    Line line{.unit = units(text(columns.unit)),
              .stimulus = stimuli(text(columns.stimulus)),
              .value = number(columns.value),
              .line = file.line()};
    if (columns.time >= 0) line.time = number(columns.time);
    if (std::isnan(line.time)) throw FileError(file.path(), "line " + std::to_string(line.line), "says no time");
    times.emplace(line.time, 0);
    line.repeat = columns.repeat >= 0 ? repeats(text(columns.repeat)) : seen[{line.unit, line.stimulus}][line.time]++;
    if (columns.area >= 0) set_label(dataset.areas, line.unit, text(columns.area), file);
    if (columns.specimen >= 0) set_label(dataset.specimens, line.unit, text(columns.specimen), file);
    lines.push_back(line);
  }
  if (lines.empty()) throw FileError(file.path(), "", "holds no responses");
  if (left_out > 0) dataset.notes.push_back(fmt::format("{} lines have no stimulus and are left out", left_out));
  std::int64_t most_repeats = 0;
  for (const Line& line : lines) most_repeats = std::max(most_repeats, line.repeat + 1);
  for (auto& [time, bin] : times) {
    bin = std::ssize(dataset.bin_starts_ms);
    if (columns.time >= 0) dataset.bin_starts_ms.push_back(time);
  }
  const StimulusIndex sorted = index_stimuli(stimuli.ids());
  dataset.responses = missing_responses(
      DType::kFloat64, {std::ssize(units.ids()), std::ssize(sorted.ids), most_repeats, std::ssize(times)},
      std::ssize(lines), file.path());
  std::vector<bool> filled(static_cast<std::size_t>(dataset.responses.elements()));
  for (const Line& line : lines) {
    const auto at = static_cast<std::size_t>(dataset.offset(
        line.unit, sorted.stimulus[static_cast<std::size_t>(line.stimulus)], line.repeat, times[line.time]));
    if (filled[at]) {
      throw FileError(file.path(), "line " + std::to_string(line.line),
                      "is a second response of the same unit, stimulus, repeat and time");
    }
    filled[at] = true;
    dataset.responses.values<double>()[at] = line.value;
  }
  dataset.unit_ids = units.ids();
  dataset.stimulus_ids = sorted.ids;
  if (dataset.bin_starts_ms.size() > 1) dataset.bin_width_ms = dataset.bin_starts_ms[1] - dataset.bin_starts_ms[0];
  return dataset;
}

}  // namespace

NeuralDataset read_csv_responses(const std::string& path, const NeuralReadOptions& options) {
  CsvReader file(path);
  std::vector<std::string> first;
  if (!file.next(first)) throw FileError(path, "", "is empty");
  const Columns columns = columns_of(first, options);
  if (columns.complete()) {
    refuse_option(options.axes, "axes", path, "one response per line");
    return read_lines(file, first, columns);
  }
  refuse_option(options.key, "key", path, "a matrix as text");
  const CsvTable table = read_csv_table(file, std::move(first));
  const std::vector<NeuralAxis> axes = parse_axes(options.axes.empty() ? "unit,stimulus" : options.axes);
  NeuralDataset dataset;
  dataset.responses = to_neural_axes(table.values, axes, path);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::vector<std::string>& ids = i == 0 ? table.row_ids : table.column_ids;
    if (axes[i] == NeuralAxis::kUnit) dataset.unit_ids = ids;
    if (axes[i] == NeuralAxis::kStimulus) dataset.stimulus_ids = ids;
  }
  return dataset;
}

}  // namespace chiasm
