// SPDX-License-Identifier: Apache-2.0
#include "engine/batch_shape.h"

#include <vector>

namespace chiasm {

Shape with_batch(std::int64_t batch, const Shape& sample) {
  std::vector<std::int64_t> sizes{batch};
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  return Shape(sizes);
}

Shape without_batch(const Shape& batch) { return Shape(batch.sizes().subspan(1)); }

}  // namespace chiasm
