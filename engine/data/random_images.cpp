// SPDX-License-Identifier: Apache-2.0
#include "engine/data/random_images.h"

#include "kernels/random/random_stream.h"

namespace chiasm {

RandomImages::RandomImages(std::int64_t size, const Shape& image, std::int64_t classes) : size_(size), image_(image) {
  for (std::int64_t i = 0; i < classes; ++i) class_names_.push_back(std::to_string(i));
}

std::int32_t RandomImages::load(std::int64_t index, Pixels& image) const {
  image = {.height = image_[0], .width = image_[1], .channels = image_[2]};
  image.values.resize(static_cast<std::size_t>(image.count()));
  const RandomStream random(
      {.purpose = RandomPurpose::kAugment, .sample = static_cast<std::uint32_t>(index), .op = 1});  // op 0 augments
  for (std::size_t i = 0; i < image.values.size(); ++i) image.values[i] = random.uniform(i);
  return static_cast<std::int32_t>(index % classes());
}

}  // namespace chiasm
