// SPDX-License-Identifier: Apache-2.0
// Responses as an array of a file, with labels beside it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "analysis/data/axis_names.h"
#include "analysis/data/neural_formats.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::array kDefaultAxes{NeuralAxis::kUnit, NeuralAxis::kStimulus, NeuralAxis::kRepeat, NeuralAxis::kTime};
constexpr std::array kResponseNames{"responses", "response", "rates", "data"};

std::string choose_array(const ArrayContainer& file, const std::string& key) {
  if (!key.empty()) return key;
  const std::vector<std::string> names = file.arrays();
  for (const char* name : kResponseNames) {
    if (std::ranges::find(names, name) != names.end()) return name;
  }
  const std::string unreadable = file.unreadable();
  const bool meant = std::ranges::any_of(kResponseNames, [&](const char* name) {
    return unreadable.starts_with(std::string(name) + " ") ||
           unreadable.find("; " + std::string(name) + " ") != unreadable.npos;
  });
  if (meant && !names.empty()) throw FileError(file.path(), "", unreadable);
  if (names.size() == 1) return names.front();
  throw FileError(
      file.path(), "",
      names.empty()
          ? "holds no array of numbers" + (unreadable.empty() ? "" : ": " + unreadable)
          : fmt::format("has {} arrays; say which one holds the responses: {}{}", names.size(),
                        fmt::join(names.begin(), names.begin() + std::min<std::ptrdiff_t>(12, std::ssize(names)), ", "),
                        names.size() > 12 ? ", ..." : "") +
                (names.front().ends_with('}')
                     ? "; " + names.front().substr(0, names.front().find('{')) + "{*} stacks the arrays of a cell"
                     : ""));
}

// The labels called `chosen`, else those with the first of the usual names, else none.
std::vector<std::string> find_labels(const ArrayContainer& file, const std::string& chosen,
                                     std::initializer_list<const char*> usual) {
  if (!chosen.empty()) return file.labels(chosen);
  for (const char* name : usual) {
    if (file.has(name)) return file.labels(name);
  }
  return {};
}

std::vector<double> find_numbers(const ArrayContainer& file, const char* name) {
  std::vector<double> numbers;
  if (!file.has(name)) return numbers;
  const Tensor values = file.read(name);
  visit_any(values.dtype(), [&]<class T>() {
    for (const T value : values.values<T>()) numbers.push_back(static_cast<double>(value));
  });
  return numbers;
}

}  // namespace

NeuralDataset read_array_responses(const ArrayContainer& file, const NeuralReadOptions& options) {
  const std::string key = choose_array(file, options.key);
  std::vector<NeuralAxis> axes;
  if (options.axes.empty()) {
    const Spec spec = file.spec(key);
    const int rank = spec.shape.rank();
    if (rank < 2 || rank > 4) {
      throw FileError(file.label(key), "",
                      "is " + to_string(spec) + "; [unit, stimulus], [unit, stimulus, repeat] or [unit, stimulus, " +
                          "repeat, time] is needed, or the axes by name");
    }
    axes.assign(kDefaultAxes.begin(), kDefaultAxes.begin() + rank);
  } else {
    axes = parse_axes(options.axes);
  }
  NeuralDataset dataset;
  dataset.responses = to_neural_axes(file.read(key), axes, file.label(key));
  // An NPY file has nothing beside its array.
  if (key.empty()) return dataset;
  dataset.unit_ids = find_labels(file, options.unit_ids, {"unit_ids", "unit_id", "neuroid_id"});
  dataset.areas = find_labels(file, options.areas, {"areas", "area", "region"});
  dataset.specimens = find_labels(file, options.specimens, {"specimens", "specimen", "animal"});
  dataset.stimulus_ids =
      find_labels(file, options.stimulus_ids, {"stimulus_ids", "stimulus_id", "image_ids", "image_id"});
  dataset.reliability = find_numbers(file, "reliability");
  dataset.bin_starts_ms = find_numbers(file, "bin_starts_ms");
  const std::vector<double> width = find_numbers(file, "bin_width_ms");
  if (width.size() > 1) throw FileError(file.label("bin_width_ms"), "", fmt::format("holds {} numbers", width.size()));
  if (!width.empty()) dataset.bin_width_ms = width.front();
  return dataset;
}

}  // namespace chiasm
