// SPDX-License-Identifier: Apache-2.0
// RandomImages: a data set of noise, where a network is to be run on images of the right size and none are at hand.
#pragma once

#include "engine/data/dataset.h"

namespace chiasm {

class RandomImages final : public Dataset {
 public:
  // `size` images of this shape [height, width, channels], uniform in [0, 1), and labels 0, 1, ... in turn. REQUIRES: a
  // size and a number of classes of at least 1.
  RandomImages(std::int64_t size, const Shape& image, std::int64_t classes);

  std::int64_t size() const override { return size_; }
  Spec image() const override { return {DType::kFloat32, image_}; }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  std::int32_t load(std::int64_t index, Pixels& image) const override;

 private:
  std::int64_t size_;
  Shape image_;
  std::vector<std::string> class_names_;
};

}  // namespace chiasm
