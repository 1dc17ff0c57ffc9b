// SPDX-License-Identifier: Apache-2.0
// The images of data sets as numbers.
#pragma once

#include <vector>

#include "engine/data/dataset.h"

namespace chiasm::test {

inline std::int32_t load_values(const Dataset& dataset, std::int64_t index, std::vector<float>& values) {
  Pixels image;
  const std::int32_t label = dataset.load(index, image);
  values.resize(static_cast<std::size_t>(image.count()));
  copy_values(image, values);
  return label;
}

}  // namespace chiasm::test
