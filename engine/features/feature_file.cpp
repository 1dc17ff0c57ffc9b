// SPDX-License-Identifier: Apache-2.0
#include "engine/features/feature_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/features/formats.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

enum class Format { kHdf5, kNpz };

Format format_of(const std::string& path) {
  if (path.ends_with(".h5") || path.ends_with(".hdf5")) return Format::kHdf5;
  if (path.ends_with(".npz")) return Format::kNpz;
  throw InputError(path + ": the ending says how features are written; .h5, .hdf5 and .npz are allowed");
}

}  // namespace

int FeatureHeader::index_of(const std::string& layer) const {
  const auto found = std::ranges::find(layers, layer, &FeatureLayer::name);
  return found == layers.end() ? -1 : static_cast<int>(found - layers.begin());
}

std::int64_t FeatureHeader::bytes() const {
  std::int64_t units = 0;
  for (const FeatureLayer& layer : layers) units += layer.units();
  return units * std::ssize(steps) * std::ssize(image_ids) * static_cast<std::int64_t>(sizeof(float));
}

void check_features(const std::string& path, const FeatureHeader& header) {
  const Format format = format_of(path);
  if (header.layers.empty() || header.steps.empty() || header.image_ids.empty()) {
    throw InputError(path + ": there is nothing to write: " + std::to_string(header.layers.size()) + " layers, " +
                     std::to_string(header.steps.size()) + " steps, " + std::to_string(header.image_ids.size()) +
                     " images");
  }
  std::set<std::string> taken;
  if (format == Format::kNpz) taken = {"steps", "time_ms", "image_ids", "layers", "arrival_steps", "metadata"};
  for (const FeatureLayer& layer : header.layers) {
    bool free = taken.insert(layer.name).second;
    if (format == Format::kNpz) free = taken.insert("shape_" + layer.name).second && free;
    if (!free) throw InputError(path + ": a layer cannot be called \"" + layer.name + "\" here: the name is taken");
  }
}

std::unique_ptr<FeatureSink> create_features(const std::string& path, const FeatureHeader& header,
                                             std::int64_t block_images) {
  check_features(path, header);
  return format_of(path) == Format::kHdf5 ? create_hdf5_features(path, header, block_images)
                                          : create_npz_features(path, header);
}

std::unique_ptr<FeatureSource> open_features(const std::string& path) {
  return format_of(path) == Format::kHdf5 ? open_hdf5_features(path) : open_npz_features(path);
}

Tensor steps_of(const FeatureHeader& header) {
  Tensor steps(Spec{DType::kInt32, {std::ssize(header.steps)}});
  std::copy(header.steps.begin(), header.steps.end(), steps.values<std::int32_t>().begin());
  return steps;
}

Tensor times_of(const FeatureHeader& header) {
  Tensor times(Spec{DType::kFloat64, {std::ssize(header.steps)}});
  for (std::size_t i = 0; i < header.steps.size(); ++i) times.values<double>()[i] = header.steps[i] * header.step_ms;
  return times;
}

void set_steps(FeatureHeader& header, const Tensor& steps, const Tensor& times, const std::string& file) {
  if (steps.dtype() != DType::kInt32 || steps.shape().rank() != 1 || steps.elements() == 0 ||
      times.dtype() != DType::kFloat64 || times.shape() != steps.shape()) {
    throw FileError(file, "steps", "steps and time_ms are two lists of one length, of integers and of float64");
  }
  header.steps.assign(steps.values<std::int32_t>().begin(), steps.values<std::int32_t>().end());
  for (std::size_t i = 0; i < header.steps.size(); ++i) {
    if (header.steps[i] == 0) continue;
    header.step_ms = times.values<double>()[i] / header.steps[i];
    if (!std::isfinite(header.step_ms) || header.step_ms <= 0) throw FileError(file, "time_ms", "is not above zero");
  }
}

void require_feature_array(const FeatureHeader& header, const FeatureLayer& layer, const Spec& found,
                           const std::string& file) {
  const Spec expected{DType::kFloat32, {std::ssize(header.steps), std::ssize(header.image_ids), layer.units()}};
  if (found != expected) {
    throw FileError(file, layer.name,
                    "is " + to_string(found) + ", by its steps, images and shape it would be " + to_string(expected));
  }
}

WrittenImages::WrittenImages(const FeatureHeader& header)
    : images_(std::ssize(header.image_ids)),
      written_(header.layers.size(), std::vector<std::int64_t>(header.steps.size(), 0)) {}

void WrittenImages::add(std::size_t layer, std::size_t step, std::int64_t first_image, std::int64_t count) {
  std::int64_t& written = written_.at(layer).at(step);
  if (first_image != written || count > images_ - written) {
    throw InternalError("features of images " + std::to_string(first_image) + " to " +
                        std::to_string(first_image + count) + " do not follow those of " + std::to_string(written) +
                        " of " + std::to_string(images_));
  }
  written += count;
}

void WrittenImages::require_all() const {
  for (const auto& steps : written_) {
    for (std::int64_t count : steps) {
      if (count != images_) throw InternalError("features of some images were not written");
    }
  }
}

}  // namespace chiasm
