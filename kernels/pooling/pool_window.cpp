// SPDX-License-Identifier: Apache-2.0
#include "kernels/pooling/pool_window.h"

#include "kernels/op.h"

namespace chiasm {

Window2d resolve_pool(std::string_view op, const Padding2d& padding, const Shape& image, Size2d kernel, Size2d stride) {
  const Window2d window = resolve_window(op, padding, {image[1], image[2]}, kernel, stride);
  if (padding.kind == Padding2d::Kind::kExplicit &&
      (std::max(padding.top, padding.bottom) >= kernel.h || std::max(padding.left, padding.right) >= kernel.w)) {
    throw_shape(op, "padding " + to_string(padding) + " must be smaller than the window " + to_string(kernel));
  }
  return window;
}

Spec infer_pool(std::string_view op, const Padding2d& padding, std::span<const Spec> in, Size2d kernel, Size2d stride) {
  require_inputs(op, in, 1);
  require_floating(op, "the input", in[0]);
  require_rank(op, "the input", in[0], 4);
  const Shape& shape = in[0].shape;
  const Window2d window = resolve_pool(op, padding, shape, kernel, stride);
  return {in[0].dtype, {shape[0], window.out.h, window.out.w, shape[3]}};
}

}  // namespace chiasm
