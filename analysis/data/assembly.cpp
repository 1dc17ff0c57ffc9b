// SPDX-License-Identifier: Apache-2.0
// NetCDF-4 assemblies of xarray: an array presentation x neuroid [x time_bin], in any order of axes, with coordinates
// along them. Presentations of the same image are its repeats.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "analysis/data/neural_formats.h"
#include "analysis/data/stimulus_index.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr const char* kPresentation = "presentation";
constexpr const char* kNeuroid = "neuroid";
constexpr const char* kTimeBin = "time_bin";
constexpr double kTimeTolerance = 1e-6;  // ms

// Arrays of the file and the dimensions of each.
class Assembly {
 public:
  explicit Assembly(const Hdf5Reader& file) : file_(file) {
    for (const std::string& name : file.names("/")) {
      const Hdf5Reader::Kind kind = file.kind("/" + name);
      if (kind == Hdf5Reader::Kind::kNumbers || kind == Hdf5Reader::Kind::kTexts) names_.push_back(name);
    }
  }

  const Hdf5Reader& file() const { return file_; }

  // The position of each of the three dimensions among the axes of an array, or -1. False when it has others.
  bool axes(const std::string& name, std::array<int, 3>& found) const {
    found = {-1, -1, -1};
    const Shape shape = file_.shape("/" + name);
    int known = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string dimension = std::array{kPresentation, kNeuroid, kTimeBin}[i];
      if (!has(dimension)) continue;
      for (const int axis : file_.axes_of_scale("/" + name, "/" + dimension)) {
        if (axis < 0 || axis >= shape.rank() || found[i] >= 0) return false;
        if (shape[axis] != file_.shape("/" + dimension).elements()) {
          throw FileError(file_.path(), name,
                          "is " + to_string(shape) + ", which does not fit its dimension " + dimension);
        }
        found[i] = axis;
        ++known;
      }
    }
    return known == shape.rank();
  }

  bool has(const std::string& name) const { return std::ranges::find(names_, name) != names_.end(); }

  // The array with responses.
  std::string responses(const std::string& key) const {
    std::vector<std::string> found;
    for (const std::string& name : names_) {
      std::array<int, 3> position{};
      if (!key.empty() && name != key) continue;
      if (file_.kind("/" + name) != Hdf5Reader::Kind::kNumbers || file_.shape("/" + name).rank() < 2) continue;
      if (axes(name, position) && position[0] >= 0 && position[1] >= 0) found.push_back(name);
    }
    if (found.size() == 1) return found.front();
    const std::string all = fmt::format("{}", fmt::join(found.empty() ? names_ : found, ", "));
    throw FileError(file_.path(), key,
                    (found.empty() ? "there is no array presentation x neuroid [x time_bin] among "
                                   : "there are several arrays presentation x neuroid; say which one: ") +
                        all);
  }

  // The labels along a dimension called `chosen`, or by the first of the usual names; none when there are none.
  std::vector<std::string> labels(std::size_t dimension, const std::string& chosen,
                                  std::initializer_list<const char*> usual) const {
    std::vector<const char*> candidates(usual);
    if (!chosen.empty()) candidates = {chosen.c_str()};
    for (const char* name : candidates) {
      std::array<int, 3> position{};
      if (!has(name)) continue;
      // A coordinate that is its own dimension, or one along it; texts may have an axis of characters.
      const bool own = name == std::string(std::array{kPresentation, kNeuroid, kTimeBin}[dimension]);
      if (!own) {
        axes(name, position);
        if (position[dimension] != 0) continue;
      }
      return joined(name);
    }
    if (!chosen.empty()) {
      throw InputError(fmt::format("{}: there is no coordinate \"{}\" along {}", file_.path(), chosen,
                                   std::array{kPresentation, kNeuroid, kTimeBin}[dimension]));
    }
    return {};
  }

 private:
  // Texts that are kept as an axis of single characters become one each.
  std::vector<std::string> joined(const std::string& name) const {
    const std::string path = "/" + name;
    const Shape shape = file_.shape(path);
    std::vector<std::string> labels = hdf5_labels(file_, path);
    if (file_.kind(path) != Hdf5Reader::Kind::kTexts || shape.rank() != 2 || labels.empty()) return labels;
    std::vector<std::string> texts(static_cast<std::size_t>(shape[0]));
    for (std::size_t i = 0; i < labels.size(); ++i) texts[i / static_cast<std::size_t>(shape[1])] += labels[i];
    return texts;
  }

  const Hdf5Reader& file_;
  std::vector<std::string> names_;
};

void set_times(const Assembly& assembly, NeuralDataset& dataset) {
  const Hdf5Reader& file = assembly.file();
  if (!assembly.has("time_bin_start") || !assembly.has("time_bin_end")) return;
  const auto numbers = [&](const std::string& name) {
    const Tensor tensor = file.read("/" + name);
    return visit_any(tensor.dtype(), [&]<class T>() {
      return std::vector<double>(tensor.values<T>().begin(), tensor.values<T>().end());
    });
  };
  const std::vector<double> starts = numbers("time_bin_start"), ends = numbers("time_bin_end");
  if (std::ssize(starts) != dataset.bins() || ends.size() != starts.size()) {
    throw FileError(
        file.path(), "time_bin_start",
        fmt::format("there are {} starts and {} ends of {} time bins", starts.size(), ends.size(), dataset.bins()));
  }
  dataset.bin_starts_ms = starts;
  dataset.bin_width_ms = ends.front() - starts.front();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (!(std::abs(ends[i] - starts[i] - dataset.bin_width_ms) <= kTimeTolerance)) {
      throw FileError(file.path(), "time_bin_end",
                      fmt::format("bin {} takes {} ms, the first {} ms; equal ones are needed", i, ends[i] - starts[i],
                                  dataset.bin_width_ms));
    }
  }
}

}  // namespace

bool is_assembly(const Hdf5Reader& file) { return file.has("/presentation") && file.has("/neuroid"); }

NeuralDataset read_assembly(const Hdf5Reader& file, const NeuralReadOptions& options) {
  refuse_option(options.axes, "axes", file.path(), "NetCDF");
  const Assembly assembly(file);
  const std::string name = assembly.responses(options.key);
  std::array<int, 3> axes{};
  assembly.axes(name, axes);
  const Tensor values = file.read("/" + name);
  const Shape& shape = values.shape();
  const std::int64_t presentations = shape[axes[0]], units = shape[axes[1]];
  const std::int64_t bins = axes[2] < 0 ? 1 : shape[axes[2]];

  const std::vector<std::string> labels = assembly.labels(
      0, options.stimulus_ids, {"stimulus_id", "image_id", "stimulus_name", "image_name", kPresentation});
  NeuralDataset dataset;
  StimulusIndex index;
  if (std::ssize(labels) == presentations) {
    std::vector<std::string> known;
    for (const std::string& label : labels) {
      if (!is_missing_id(label)) known.push_back(label);
    }
    if (known.size() < labels.size()) {
      dataset.notes.push_back(fmt::format("{} of {} presentations have no stimulus and are left out",
                                          labels.size() - known.size(), labels.size()));
    }
    const StimulusIndex of_known = index_stimuli(known);
    index = {of_known.ids, {}, {}, of_known.repeats};
    for (std::size_t i = 0, k = 0; i < labels.size(); ++i) {
      const bool missing = is_missing_id(labels[i]);
      index.stimulus.push_back(missing ? -1 : of_known.stimulus[k]);
      index.repeat.push_back(missing ? 0 : of_known.repeat[k]);
      k += !missing;
    }
  } else {  // nothing tells which presentations are the same
    index.repeats = 1;
    for (std::int64_t i = 0; i < presentations; ++i) index.stimulus.push_back(i);
    index.repeat.assign(static_cast<std::size_t>(presentations), 0);
  }
  const std::int64_t stimuli = index.ids.empty() ? presentations : std::ssize(index.ids);
  const DType dtype = values.dtype() == DType::kFloat32 ? DType::kFloat32 : DType::kFloat64;
  dataset.responses = missing_responses(dtype, {units, stimuli, index.repeats, bins}, values.elements(), file.path());
  const Strides strides = shape.row_major();
  const auto step = [&](std::size_t i) { return axes[i] < 0 ? 0 : strides[static_cast<std::size_t>(axes[i])]; };
  visit_any(values.dtype(), [&]<class S>() {
    const S* const from = values.values<S>().data();
    visit_floating(dtype, [&]<class T>() {
      T* const to = dataset.responses.values<T>().data();
      for (std::int64_t i = 0; i < presentations; ++i) {
        const std::int64_t stimulus = index.stimulus[static_cast<std::size_t>(i)];
        const std::int64_t repeat = index.repeat[static_cast<std::size_t>(i)];
        if (stimulus < 0) continue;
        for (std::int64_t unit = 0; unit < units; ++unit) {
          for (std::int64_t bin = 0; bin < bins; ++bin) {
            to[dataset.offset(unit, stimulus, repeat, bin)] =
                static_cast<T>(from[i * step(0) + unit * step(1) + bin * step(2)]);
          }
        }
      }
    });
  });
  dataset.stimulus_ids = index.ids;
  dataset.unit_ids = assembly.labels(1, options.unit_ids, {"neuroid_id", "unit_id"});
  dataset.areas = assembly.labels(1, options.areas, {"region", "area"});
  dataset.specimens = assembly.labels(1, options.specimens, {"animal", "subject", "specimen"});
  set_times(assembly, dataset);
  return dataset;
}

}  // namespace chiasm
