// SPDX-License-Identifier: Apache-2.0
#include "engine/io/column_major.h"

#include <cstring>

namespace chiasm {

Tensor row_major_from(const Tensor& values, const Shape& shape) {
  Tensor tensor(Spec{values.dtype(), shape});
  Strides strides{};
  std::int64_t step = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    strides[static_cast<std::size_t>(axis)] = step;
    step *= shape[axis];
  }
  const std::size_t size = size_of(values.dtype());
  std::byte* out = tensor.bytes().data();
  for_each_offset(
      shape,
      [&](std::int64_t offset) {
        std::memcpy(out, values.bytes().data() + static_cast<std::size_t>(offset) * size, size);
        out += size;
      },
      strides);
  return tensor;
}

}  // namespace chiasm
