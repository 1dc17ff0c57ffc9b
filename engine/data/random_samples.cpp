// SPDX-License-Identifier: Apache-2.0
#include "engine/data/random_samples.h"

#include <algorithm>

#include "kernels/random/random_stream.h"

namespace chiasm {

RandomSamples::RandomSamples(std::int64_t size, Fields fields, std::int64_t classes)
    : size_(size), fields_(std::move(fields)) {
  for (std::int64_t i = 0; i < classes; ++i) class_names_.push_back(std::to_string(i));
}

void RandomSamples::read(const SampleAddress& address, Sample& sample) const {
  const RandomStream random({.purpose = RandomPurpose::kAugment,
                             .sample = static_cast<std::uint32_t>(address.index),
                             .op = 1});  // op 0 augments
  std::uint64_t drawn = 0;
  const auto fill = [&](auto&& values) {
    for (auto& value : values) value = static_cast<std::remove_reference_t<decltype(value)>>(random.uniform(drawn++));
  };
  for (const auto& [name, field] : fields_) {
    if (field.image) {
      Pixels& image = sample.image(name);
      const Shape& shape = field.spec.shape;
      image = {.height = shape[0], .width = shape[1], .channels = shape[2]};
      image.values.resize(static_cast<std::size_t>(image.count()));
      fill(image.values);
      continue;
    }
    Tensor& tensor = sample.tensor(name, field.spec);
    visit_any(field.spec.dtype, [&]<class T>() {
      if constexpr (std::is_floating_point_v<T>) {
        fill(tensor.values<T>());
      } else {
        std::ranges::fill(tensor.values<T>(), static_cast<T>(address.index % std::ssize(class_names_)));
      }
    });
  }
}

}  // namespace chiasm
