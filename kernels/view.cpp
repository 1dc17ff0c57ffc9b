// SPDX-License-Identifier: Apache-2.0
#include "kernels/view.h"

namespace chiasm {

std::string to_string(const Spec& spec) {
  return std::string(name_of(spec.dtype)) + to_string(spec.shape);
}

View broadcast_view(const View& view, const Shape& shape) {
  assert(broadcasts_to(view.shape(), shape));
  Strides strides{};
  const int shift = shape.rank() - view.shape().rank();
  for (int axis = 0; axis < view.shape().rank(); ++axis) {
    strides[axis + shift] = view.shape()[axis] == 1 ? 0 : view.strides()[axis];
  }
  return View(view.data(), Spec{view.dtype(), shape}, strides);
}

}  // namespace chiasm
