// SPDX-License-Identifier: Apache-2.0
// MemoryDataset: images and labels held in memory in the type they were stored in; what IDX, CIFAR-10 and NPY/NPZ
// become.
#pragma once

#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/tensor.h"

namespace chiasm {

class MemoryDataset final : public Dataset {
 public:
  // `images` is [N, height, width, channels], uint8, float32 or float64. Class names as class_names_for. Throws
  // FileError naming one of the two files when the shapes, counts or labels do not fit.
  MemoryDataset(Tensor images, std::vector<std::int32_t> labels, std::vector<std::string> class_names,
                const std::string& images_file, const std::string& labels_file);

  std::int64_t size() const override { return images_.shape()[0]; }
  Spec image() const override;
  const std::vector<std::string>& class_names() const override { return class_names_; }
  std::int32_t load(std::int64_t index, Pixels& image) const override;

 private:
  Tensor images_;
  std::vector<std::int32_t> labels_;
  std::vector<std::string> class_names_;
};

}  // namespace chiasm
