// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/first_reaching.h"

namespace chiasm {
namespace {

// One loop serves every type and layout: the elements are confidences, a few for each sample.
template <class T>
std::int32_t first_reaching(const T* x, std::int64_t stride, std::int64_t count, double threshold) {
  std::int64_t largest = -1;
  for (std::int64_t k = 0; k < count; ++k) {
    const T value = x[k * stride];
    if (value >= threshold) return static_cast<std::int32_t>(k);
    if (value == value && (largest < 0 || value > x[largest * stride])) largest = k;
  }
  return static_cast<std::int32_t>(largest < 0 ? 0 : largest);
}

Shape without_last(const Shape& shape) {
  return Shape(shape.sizes().first(static_cast<std::size_t>(shape.rank() - 1)));
}

}  // namespace

std::vector<Spec> FirstReaching::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  const Shape& x = in[0].shape;
  if (x.rank() == 0 || x.at(-1) == 0) throw_shape(kName, "the input " + to_string(x) + " has no last axis to search");
  return {{DType::kInt32, without_last(x)}};
}

void FirstReaching::forward(CpuStream&, Inputs in, Outputs out) const {
  const View& x = in[0];
  const int last = x.shape().rank() - 1;
  visit_floating(x.dtype(), [&]<class T>() {
    for_each_offset(
        without_last(x.shape()),
        [&](std::int64_t i, std::int64_t j) {
          out[0].as<std::int32_t>()[j] = first_reaching(x.as<T>() + i, x.strides()[last], x.shape()[last], threshold);
        },
        x.strides(), out[0].strides());
  });
}

}  // namespace chiasm
