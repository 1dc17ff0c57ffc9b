// SPDX-License-Identifier: Apache-2.0
// Feature files: what the units of a network did over time for a set of images, by layer as float32
// [time, image, unit], larger than memory allowed. Two formats with the same content, told apart by the ending:
//
//   .h5, .hdf5   /features/<layer>, with the attributes "shape" and "arrival_step"; /steps, /time_ms, /image_ids,
//   /layers;
//                what the header says besides as attributes of the file
//   .npz         <layer>, shape_<layer>, steps, time_ms, image_ids, layers, arrival_steps, and the rest as JSON in the
//   text
//                "metadata"; entries are stored, so that parts can be read
//
// Units are flattened in row-major order of their shape (H x W x C).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace chiasm {

struct FeatureLayer {
  std::string name;
  Shape shape = {};      // of the units of one image at one step
  int arrival_step = 0;  // the first step at which they can depend on the image

  std::int64_t units() const { return shape.elements(); }
  bool operator==(const FeatureLayer&) const = default;
};

struct FeatureHeader {
  std::vector<FeatureLayer> layers;
  std::vector<int> steps;
  double step_ms = 10.0;  // time_ms is step * step_ms: when the step begins
  std::vector<std::string> image_ids;
  std::map<std::string, std::string> attributes;  // whatever else: the network, its weights, the presentation

  int index_of(const std::string& layer) const;  // -1: none
  std::int64_t bytes() const;                    // of all values
};

class FeatureSink {
 public:
  virtual ~FeatureSink() = default;

  // The units of `rows.size() / units` images from `first_image` on, at steps[step]. Blocks of one layer and step come
  // in the order of the images. Throws SystemError when the disk refuses.
  virtual void write(std::size_t layer, std::size_t step, std::int64_t first_image, std::span<const float> rows) = 0;
  // A further array, by a name such as "pca/conv4/mean".
  virtual void add(const std::string& name, const Tensor& values) = 0;
  // Until then there is no file of this name, or the one of before. Throws InternalError when values are missing.
  virtual void commit() = 0;
};

// Blocks will have `block_images` images, except the last (chunks of HDF5 are cut by it). Throws InputError for another
// ending, for names that are taken, and without layers, steps or images.
std::unique_ptr<FeatureSink> create_features(const std::string& path, const FeatureHeader& header,
                                             std::int64_t block_images);
// Throws what create_features would throw before it makes a file.
void check_features(const std::string& path, const FeatureHeader& header);

class FeatureSource {
 public:
  virtual ~FeatureSource() = default;

  const FeatureHeader& header() const { return header_; }
  // Units of images [first, first + count) at steps[step], as [count, units]. Throws FileError when they are damaged.
  // REQUIRES: the layer, the step and the images exist.
  virtual Tensor read(std::size_t layer, std::size_t step, std::int64_t first, std::int64_t count) const = 0;
  // What add() wrote. Throws FileError when there is none.
  virtual Tensor array(const std::string& name) const = 0;

 protected:
  FeatureHeader header_;
};

// Throws FileError for what is no feature file, and where its parts do not fit each other.
std::unique_ptr<FeatureSource> open_features(const std::string& path);

}  // namespace chiasm
