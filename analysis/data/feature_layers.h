// SPDX-License-Identifier: Apache-2.0
// FeatureLayers: what a model's units did for a set of stimuli, by layer and time step, read in blocks of stimuli so
// that it may be larger than memory. From what `chiasm extract` wrote, or from arrays [stimulus, ...] of NPY, NPZ, HDF5
// and MATLAB files, whose further axes are flattened in row-major order to units.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/data/stimulus_match.h"
#include "analysis/maps/source.h"
#include "engine/tensor.h"

namespace chiasm {

class FeatureLayers {
 public:
  struct Layer {
    std::string name;      // of the layer, or of the array; that of a file of one array is the file's name
    Shape shape;           // of the units for one stimulus and step
    int arrival_step = 0;  // the first step at which they can depend on the stimulus

    std::int64_t units() const { return shape.elements(); }
  };

  virtual ~FeatureLayers() = default;
  const std::string& path() const { return path_; }
  const std::vector<Layer>& layers() const { return layers_; }
  // Throws InputError for a name that is none, listing those that are.
  std::size_t layer(const std::string& name) const;
  // Numbers of the time steps, in order; {0} where there is no time.
  const std::vector<int>& steps() const { return steps_; }
  double step_ms() const { return step_ms_; }  // NaN: unknown
  const StimulusList& stimuli() const { return stimuli_; }

  // [count, units] of stimuli [first, first + count) at steps()[step], of the type they are stored in. Throws FileError
  // when they are damaged. From one thread at a time. REQUIRES: they exist.
  virtual Tensor read(std::size_t layer, std::size_t step, std::int64_t first, std::int64_t count) const = 0;

  // Throws InputError naming `file`, where they come from, when their number is not that of the stimuli.
  void set_ids(std::vector<std::string> ids, const std::string& file);

 protected:
  std::string path_;
  std::vector<Layer> layers_;
  std::vector<int> steps_{0};
  double step_ms_ = std::numeric_limits<double>::quiet_NaN();
  StimulusList stimuli_;
};

struct FeatureReadOptions {
  // Which array, where a file holds several; left out, each with as many stimuli as the others is a layer.
  std::string key = "";
  // Which axis is which, of stimulus, unit and time, such as "unit,stimulus"; left out, stimuli come first. Arrays
  // where they do not are held in memory.
  std::string axes = "";
  // Ids of the stimuli from another file (read_stimulus_ids).
  std::string ids = "";
};

// Throws FileError when the file is malformed, holds no arrays of features or arrays of different numbers of stimuli.
std::shared_ptr<const FeatureLayers> open_feature_layers(const std::string& path,
                                                         const FeatureReadOptions& options = {});

// Rows of a layer for the stimuli `rows` (in that order; empty: all), each the mean over steps()[i] for i in `steps`.
// T is float or double. REQUIRES: they exist, and there is a step.
template <class T>
typename Source<T>::Reader feature_reader(std::shared_ptr<const FeatureLayers> features, std::size_t layer,
                                          std::vector<std::size_t> steps, std::vector<std::int64_t> rows = {});
template <class T>
Source<T> feature_source(std::shared_ptr<const FeatureLayers> features, std::size_t layer,
                         std::vector<std::size_t> steps, std::vector<std::int64_t> rows = {},
                         std::int64_t most_bytes = Source<T>::kMostBytes);

}  // namespace chiasm
