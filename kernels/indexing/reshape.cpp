// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/reshape.h"

#include "kernels/indexing/copy.h"

namespace chiasm {
namespace {

std::int64_t offset_of(std::int64_t index, const Shape& shape, const Strides& strides) {
  std::int64_t offset = 0;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    offset += index % shape[axis] * strides[axis];
    index /= shape[axis];
  }
  return offset;
}

}  // namespace

std::vector<Spec> Reshape::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  if (in[0].shape.elements() != shape.elements()) {
    throw_shape(kName, "shape " + to_string(in[0].shape) + " cannot be read as " + to_string(shape) + ": " +
                           std::to_string(in[0].shape.elements()) + " elements against " +
                           std::to_string(shape.elements()));
  }
  return {Spec{in[0].dtype, shape}};
}

void Reshape::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  const MutableView& y = out[0];
  if (y.dense()) {
    copy_elements(stream, x, MutableView(y.data(), x.spec()));
  } else if (x.dense()) {
    copy_elements(stream, View(x.data(), y.spec()), y);
  } else {
    visit_any(y.dtype(), [&]<class T>() {
      for (std::int64_t i = 0; i < y.elements(); ++i) {
        y.as<T>()[offset_of(i, y.shape(), y.strides())] = x.as<T>()[offset_of(i, x.shape(), x.strides())];
      }
    });
  }
}

}  // namespace chiasm
