// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/pick.h"

#include "kernels/indexing/copy.h"

namespace chiasm {
namespace {

std::int64_t index_of(const View& index, std::int64_t sample, std::int64_t parts) {
  const std::int64_t at = index.as<std::int32_t>()[sample * index.strides()[0]];
  if (at < 0 || at >= parts) {
    throw InputError("[pick] sample " + std::to_string(sample) + " has index " + std::to_string(at) +
                     " outside an axis of size " + std::to_string(parts));
  }
  return at;
}

// Calls body(x offset, y offset) for each element of what is picked. One loop serves every type and layout: what is
// selected is a readout, far smaller than what a network computes.
template <class Body>
void for_each_picked(const View& x, const View& index, const View& y, Body&& body) {
  const Shape part = y.shape().with(0, 1);
  Strides from{};
  for (int axis = 1; axis < y.shape().rank(); ++axis) from[axis] = x.strides()[axis + 1];
  for (std::int64_t n = 0; n < y.shape()[0]; ++n) {
    const std::int64_t start = n * x.strides()[0] + index_of(index, n, x.shape()[1]) * x.strides()[1];
    for_each_offset(
        part, [&](std::int64_t j, std::int64_t i) { body(start + i, n * y.strides()[0] + j); }, y.strides(), from);
  }
}

}  // namespace

std::vector<Spec> Pick::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 2);
  const Shape& x = in[0].shape;
  if (x.rank() < 2) throw_shape(kName, "x has shape " + to_string(x) + ", and needs a sample and a selected axis");
  require_dtype(kName, "index", in[1], DType::kInt32);
  require_shape(kName, "index", in[1], Shape{x[0]});
  std::vector<std::int64_t> sizes{x[0]};
  sizes.insert(sizes.end(), x.begin() + 2, x.end());
  return {Spec{in[0].dtype, Shape(sizes)}};
}

void Pick::forward(CpuStream&, Inputs in, Outputs out) const {
  visit_any(in[0].dtype(), [&]<class T>() {
    for_each_picked(in[0], in[1], out[0],
                      [&](std::int64_t i, std::int64_t j) { out[0].as<T>()[j] = in[0].as<T>()[i]; });
  });
}

void Pick::backward(CpuStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  fill_elements(stream, dx, 0.0);
  visit_floating(dx.dtype(), [&]<class T>() {
    for_each_picked(dx, in[1], dy, [&](std::int64_t i, std::int64_t j) { dx.as<T>()[i] = dy.as<T>()[j]; });
  });
}

}  // namespace chiasm
