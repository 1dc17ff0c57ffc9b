// SPDX-License-Identifier: Apache-2.0
#include "engine/data/memory_dataset.h"

#include <algorithm>
#include <cassert>

#include "kernels/error.h"

namespace chiasm {

MemoryDataset::MemoryDataset(Tensor images, std::vector<std::int32_t> labels, std::vector<std::string> class_names,
                             const std::string& images_file, const std::string& labels_file)
    : images_(std::move(images)), labels_(std::move(labels)) {
  const Shape& shape = images_.shape();
  if (shape.rank() != 4) {
    throw FileError(images_file, "shape", "images are [samples, height, width, channels], found " + to_string(shape));
  }
  if (shape.elements() == 0) throw FileError(images_file, "shape", "no samples or no pixels: " + to_string(shape));
  if (images_.dtype() == DType::kInt32) {
    throw FileError(images_file, "element type", "found int32; images are uint8, float32 or float64");
  }
  if (shape[0] != std::ssize(labels_)) {
    throw FileError(
        labels_file, "",
        std::to_string(labels_.size()) + " labels for the " + std::to_string(shape[0]) + " images in " + images_file);
  }
  class_names_ = class_names_for(labels_, std::move(class_names), labels_file);
}

Spec MemoryDataset::image() const {
  const Shape& shape = images_.shape();
  return {DType::kFloat32, {shape[1], shape[2], shape[3]}};
}

std::int32_t MemoryDataset::load(std::int64_t index, Pixels& image) const {
  assert(index >= 0 && index < size());
  const Shape& shape = images_.shape();
  image.height = shape[1];
  image.width = shape[2];
  image.channels = shape[3];
  image.bytes.clear();
  image.values.clear();
  const auto count = static_cast<std::size_t>(image.count()), begin = static_cast<std::size_t>(index) * count;
  switch (images_.dtype()) {
    case DType::kUInt8: {
      const auto bytes = images_.values<std::uint8_t>().subspan(begin, count);
      image.bytes.assign(bytes.begin(), bytes.end());
      break;
    }
    case DType::kFloat64: {
      const auto values = images_.values<double>().subspan(begin, count);
      image.values.resize(count);
      std::ranges::transform(values, image.values.begin(), [](double v) { return static_cast<float>(v); });
      break;
    }
    default: {
      const auto values = images_.values<float>().subspan(begin, count);
      image.values.assign(values.begin(), values.end());
    }
  }
  return labels_[static_cast<std::size_t>(index)];
}

}  // namespace chiasm
