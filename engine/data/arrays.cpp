// SPDX-License-Identifier: Apache-2.0
#include "engine/data/arrays.h"

#include "engine/data/memory_dataset.h"
#include "engine/io/npy.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

std::unique_ptr<Dataset> make(Tensor images, const Tensor& labels, const DatasetConfig& config,
                              const std::string& images_file, const std::string& labels_file) {
  if (images.shape().rank() == 3) {
    const Shape& shape = images.shape();
    images = images.reshaped({shape[0], shape[1], shape[2], 1});
  }
  if (is_floating(labels.dtype()) || labels.shape().rank() != 1) {
    throw FileError(labels_file, "", "labels are integers of shape [samples], found " + to_string(labels.spec()));
  }
  std::vector<std::int32_t> numbers;
  visit_any(labels.dtype(), [&]<class T>() {
    for (const T label : labels.values<T>()) numbers.push_back(static_cast<std::int32_t>(label));
  });
  return std::make_unique<MemoryDataset>(std::move(images), std::move(numbers), config.class_names, images_file,
                                         labels_file);
}

}  // namespace

std::unique_ptr<Dataset> open_npy(const DatasetConfig& config) {
  if (config.labels.empty()) throw InputError(config.path + ": an NPY file of images needs the path of its labels");
  return make(read_npy(config.path), read_npy(config.labels), config, config.path, config.labels);
}

std::unique_ptr<Dataset> open_npz(const DatasetConfig& config) {
  return make(read_npz(config.path, config.images_key), read_npz(config.path, config.labels_key), config,
              config.path + "(" + config.images_key + ")", config.path + "(" + config.labels_key + ")");
}

}  // namespace chiasm
