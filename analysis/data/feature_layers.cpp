// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/feature_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <type_traits>

#include "analysis/data/array_container.h"
#include "analysis/data/axis_names.h"
#include "analysis/data/read_neural.h"
#include "engine/features/feature_file.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// What `chiasm extract` wrote.
class ExtractedLayers final : public FeatureLayers {
 public:
  explicit ExtractedLayers(const std::string& path) : file_(open_features(path)) {
    path_ = path;
    const FeatureHeader& header = file_->header();
    for (const FeatureLayer& layer : header.layers) layers_.push_back({layer.name, layer.shape, layer.arrival_step});
    steps_ = header.steps;
    step_ms_ = header.step_ms;
    stimuli_ = {path, std::ssize(header.image_ids), header.image_ids};
  }

  Tensor read(std::size_t layer, std::size_t step, std::int64_t first, std::int64_t count) const override {
    return file_->read(layer, step, first, count);
  }

 private:
  std::unique_ptr<FeatureSource> file_;
};

// Arrays of any file.
class ArrayLayers final : public FeatureLayers {
 public:
  ArrayLayers(std::unique_ptr<ArrayContainer> file, const FeatureReadOptions& options) : file_(std::move(file)) {
    path_ = file_->path();
    if (!options.axes.empty()) {
      axes_ = parse_axes(options.axes);
      if (std::ranges::find(axes_, NeuralAxis::kRepeat) != axes_.end()) {
        throw InputError("axes \"" + options.axes + "\": features have no repeats");
      }
      if (axes_ == std::vector{NeuralAxis::kStimulus, NeuralAxis::kUnit}) axes_.clear();
    }
    for (const std::string& name : options.key.empty() ? file_->arrays() : std::vector{options.key}) {
      const Spec spec = file_->spec(name);
      // Without a key, single numbers and lists are not features.
      if (options.key.empty() && spec.shape.rank() < 2) continue;
      add(name, spec);
    }
    if (layers_.empty()) {
      const std::string unreadable = file_->unreadable();
      throw FileError(path_, "",
                      "holds no array of features, [stimulus, unit] or [stimulus, ...]" +
                          (unreadable.empty() ? "" : ": " + unreadable));
    }
    stimuli_.name = path_;
    // A table of text has ids at the edge where the stimuli are.
    const char* const edge = axes_.empty() || axes_.front() == NeuralAxis::kStimulus ? "row ids" : "column ids";
    stimuli_.ids = stimulus_ids_of(*file_, edge);
    if (!stimuli_.ids.empty() && std::ssize(stimuli_.ids) != stimuli_.count) {
      throw FileError(path_, "stimulus ids",
                      fmt::format("there are {}, the features have {} stimuli", stimuli_.ids.size(), stimuli_.count));
    }
  }

  Tensor read(std::size_t layer, std::size_t step, std::int64_t first, std::int64_t count) const override {
    const std::string& name = names_[layer];
    const std::int64_t units = layers_[layer].units();
    if (values_.empty()) return file_->read_part(name, first, count).reshaped({count, units});
    Tensor part(Spec{values_[layer].dtype(), {count, units}});
    // [unit, stimulus, 1, step]
    const Strides from = values_[layer].shape().row_major();
    visit_floating(part.dtype(), [&]<class T>() {
      const T* const in = values_[layer].values<T>().data() + static_cast<std::int64_t>(step);
      const std::span<T> out = part.values<T>();
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t unit = 0; unit < units; ++unit) {
          out[static_cast<std::size_t>(i * units + unit)] = in[unit * from[0] + (first + i) * from[1]];
        }
      }
    });
    return part;
  }

 private:
  void add(const std::string& name, const Spec& spec) {
    Shape shape = spec.shape;
    std::int64_t stimuli = 0, steps = 1;
    std::vector<std::int64_t> units;
    if (axes_.empty()) {
      if (shape.rank() < 1) throw FileError(file_->label(name), "", "is one number; [stimulus, unit] is needed");
      stimuli = shape[0];
      units.assign(shape.begin() + 1, shape.end());
    } else {
      const Tensor values = to_neural_axes(file_->read(name), axes_, file_->label(name));
      shape = values.shape();
      stimuli = shape[1];
      steps = shape[3];
      units = {shape[0]};
      values_.push_back(values);
    }
    if (shape.elements() == 0) throw FileError(file_->label(name), "", "is " + to_string(spec.shape) + ": it is empty");
    if (!layers_.empty() && (stimuli != stimuli_.count || steps != std::ssize(steps_))) {
      throw FileError(
          path_, "",
          fmt::format("the arrays do not have the same stimuli: \"{}\" has {} at {} steps, \"{}\" has {} at "
                      "{}; say which one holds the features",
                      names_.front(), stimuli_.count, steps_.size(), name, stimuli, steps));
    }
    stimuli_.count = stimuli;
    steps_.resize(static_cast<std::size_t>(steps));
    std::iota(steps_.begin(), steps_.end(), 0);
    layers_.push_back({name.empty() ? std::filesystem::path(path_).stem().string() : name, Shape(units)});
    names_.push_back(name);
  }

  std::unique_ptr<ArrayContainer> file_;
  std::vector<NeuralAxis> axes_;  // none: stimuli first
  std::vector<std::string> names_;
  std::vector<Tensor> values_;  // [unit, stimulus, 1, step] of each layer, when they cannot be read in blocks
};

bool is_extracted(const ArrayContainer& file, FileFormat format) {
  if (format == FileFormat::kNpz) return file.has("metadata") && file.has("layers") && file.has("arrival_steps");
  return format == FileFormat::kHdf5 && file.has("layers") && file.has("steps") && file.has("image_ids");
}

// Throws FileError naming the first value that is not finite. A sum of x - x is 0 unless one is not; unlike a search it
// is vectorised.
void require_finite(const FeatureLayers& features, std::size_t layer, std::size_t step, std::int64_t first,
                    const Tensor& rows) {
  visit_any(rows.dtype(), [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>) {
      const std::span<const T> values = rows.values<T>();
      T zero = 0;
      for (const T value : values) zero += value - value;
      if (zero == T{0}) return;
      const auto at = std::ranges::find_if(values, [](T value) { return !std::isfinite(value); }) - values.begin();
      const std::int64_t units = rows.shape()[1], stimulus = first + at / units;
      const std::vector<std::string>& ids = features.stimuli().ids;
      throw FileError(features.path(), "layer \"" + features.layers()[layer].name + "\"",
                      fmt::format("the value of unit {} for stimulus {}{}{} is {}; all must be finite", at % units,
                                  stimulus, ids.empty() ? "" : " (" + ids[static_cast<std::size_t>(stimulus)] + ")",
                                  features.steps().size() > 1 ? fmt::format(" at step {}", features.steps()[step]) : "",
                                  values[static_cast<std::size_t>(at)]));
    }
  });
}

// Rows `wanted` of one layer and step, added to `sums` at their places.
template <class T>
void add_rows(const FeatureLayers& features, std::size_t layer, std::size_t step, std::span<const std::int64_t> wanted,
              Matrix<T>& sums) {
  // Forwards through the file, whatever the order of the rows, and neighbours at once.
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return wanted[i]; });
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const std::int64_t first = wanted[order[begin]];
    end = begin + 1;
    while (end < order.size() && wanted[order[end]] - wanted[order[end - 1]] <= 1) ++end;
    const Tensor part = features.read(layer, step, first, wanted[order[end - 1]] - first + 1);
    require_finite(features, layer, step, first, part);
    visit_any(part.dtype(), [&]<class S>() {
      const S* const values = part.values<S>().data();
      for (std::size_t i = begin; i < end; ++i) {
        const S* const from = values + (wanted[order[i]] - first) * sums.columns();
        T* const to = sums.data() + static_cast<std::int64_t>(order[i]) * sums.columns();
        for (std::int64_t unit = 0; unit < sums.columns(); ++unit) to[unit] += static_cast<T>(from[unit]);
      }
    });
  }
}

}  // namespace

std::size_t FeatureLayers::layer(const std::string& name) const {
  const auto found = std::ranges::find(layers_, name, &Layer::name);
  if (found != layers_.end()) return static_cast<std::size_t>(found - layers_.begin());
  std::vector<std::string> names;
  for (const Layer& layer : layers_) names.push_back(layer.name);
  throw InputError(fmt::format("{} has no layer \"{}\"; it has {}", path_, name, fmt::join(names, ", ")));
}

std::shared_ptr<const FeatureLayers> open_feature_layers(const std::string& path, const FeatureReadOptions& options) {
  const FileFormat format = format_of_file(path);
  std::unique_ptr<ArrayContainer> file = open_arrays(path);
  std::shared_ptr<FeatureLayers> features;
  if (is_extracted(*file, format)) {
    file.reset();
    if (!options.key.empty() || !options.axes.empty()) {
      throw InputError(
          path + " was written by chiasm extract, which says what its arrays and axes are; neither can be " + "chosen");
    }
    features = std::make_shared<ExtractedLayers>(path);
  } else {
    features = std::make_shared<ArrayLayers>(std::move(file), options);
  }
  if (!options.ids.empty()) features->set_ids(read_stimulus_ids(options.ids), options.ids);
  return features;
}

void FeatureLayers::set_ids(std::vector<std::string> ids, const std::string& file) {
  if (std::ssize(ids) != stimuli_.count) {
    throw InputError(fmt::format("{} has {} ids, {} has {} stimuli", file, ids.size(), path_, stimuli_.count));
  }
  stimuli_.ids = std::move(ids);
}

template <class T>
typename Source<T>::Reader feature_reader(std::shared_ptr<const FeatureLayers> features, std::size_t layer,
                                          std::vector<std::size_t> steps, std::vector<std::int64_t> rows) {
  return [features = std::move(features), layer, steps = std::move(steps), rows = std::move(rows)](std::int64_t first,
                                                                                                   std::int64_t count) {
    std::vector<std::int64_t> wanted(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      wanted[static_cast<std::size_t>(i)] = rows.empty() ? first + i : rows[static_cast<std::size_t>(first + i)];
    }
    const std::int64_t units = features->layers()[layer].units();
    if (steps.size() == 1) {
      Matrix<T> values(count, units);
      add_rows(*features, layer, steps.front(), wanted, values);
      return values;
    }
    Matrix<double> sums(count, units);
    for (const std::size_t step : steps) add_rows(*features, layer, step, wanted, sums);
    Matrix<T> means(count, units);
    std::ranges::transform(sums.values(), means.values().begin(),
                           [&](double sum) { return static_cast<T>(sum / static_cast<double>(steps.size())); });
    return means;
  };
}

template <class T>
Source<T> feature_source(std::shared_ptr<const FeatureLayers> features, std::size_t layer,
                         std::vector<std::size_t> steps, std::vector<std::int64_t> rows, std::int64_t most_bytes) {
  const std::int64_t stimuli = rows.empty() ? features->stimuli().count : std::ssize(rows);
  const std::int64_t units = features->layers()[layer].units();
  return Source<T>(stimuli, units, feature_reader<T>(std::move(features), layer, std::move(steps), std::move(rows)),
                   most_bytes);
}

template Source<float>::Reader feature_reader<float>(std::shared_ptr<const FeatureLayers>, std::size_t,
                                                     std::vector<std::size_t>, std::vector<std::int64_t>);
template Source<double>::Reader feature_reader<double>(std::shared_ptr<const FeatureLayers>, std::size_t,
                                                       std::vector<std::size_t>, std::vector<std::int64_t>);
template Source<float> feature_source<float>(std::shared_ptr<const FeatureLayers>, std::size_t,
                                             std::vector<std::size_t>, std::vector<std::int64_t>, std::int64_t);
template Source<double> feature_source<double>(std::shared_ptr<const FeatureLayers>, std::size_t,
                                               std::vector<std::size_t>, std::vector<std::int64_t>, std::int64_t);

}  // namespace chiasm
