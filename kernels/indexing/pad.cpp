// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/pad.h"

#include "kernels/indexing/copy.h"

namespace chiasm {

std::vector<Spec> Pad::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "x", in[0]);
  const Shape& shape = in[0].shape;
  if (before.size() != shape.sizes().size() || after.size() != shape.sizes().size()) {
    throw_shape(kName, std::to_string(before.size()) + " amounts before and " + std::to_string(after.size()) +
                           " after do not match the axes of shape " + to_string(shape));
  }
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (before[axis] < 0 || after[axis] < 0 || __builtin_add_overflow(sizes[axis], before[axis], &sizes[axis]) ||
        __builtin_add_overflow(sizes[axis], after[axis], &sizes[axis])) {
      throw_shape(kName, "cannot add " + std::to_string(before[axis]) + " before and " + std::to_string(after[axis]) +
                             " after axis " + std::to_string(axis) + " of shape " + to_string(shape));
    }
  }
  return {Spec{in[0].dtype, Shape(sizes)}};
}

void Pad::forward(CpuStream& stream, Inputs in, Outputs out) const {
  copy_elements(stream, in[0], box_of(out[0], before, in[0].shape()));
  fill_outside(stream, out[0], before, in[0].shape(), value);
}

void Pad::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  copy_elements(stream, box_of(dy, before, dx.shape()), dx);
}

}  // namespace chiasm
