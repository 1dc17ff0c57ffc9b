// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/add_n.h"

#include <algorithm>
#include <array>

#include "kernels/elementwise/functors.h"
#include "kernels/elementwise/pointwise_loops.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

// The running sum of one block stays in the first-level cache, and the output, which may be one of the inputs, is
// written when all of them have been read.
constexpr std::int64_t kBlock = 1024;
constexpr std::int64_t kGrain = 16384;

template <class T>
void add_naive(Inputs in, const MutableView& out) {
  std::array<std::int64_t, kMaxRank> index{};
  const Shape& shape = out.shape();
  const auto offset = [&](const Strides& strides) {
    std::int64_t sum = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) sum += index[axis] * strides[axis];
    return sum;
  };
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    T sum = in[0].as<T>()[offset(in[0].strides())];
    for (std::size_t k = 1; k < in.size(); ++k) sum += in[k].as<T>()[offset(in[k].strides())];
    out.as<T>()[offset(out.strides())] = sum;
    for (int axis = shape.rank() - 1; axis >= 0 && ++index[axis] == shape[axis]; --axis) index[axis] = 0;
  }
}

}  // namespace

std::vector<Spec> AddN::infer(std::span<const Spec> in) const {
  if (in.empty()) throw_shape(kName, "takes at least one input, found none");
  for (const Spec& spec : in) {
    require_floating(kName, "each input", spec);
    require_dtype(kName, "each input", spec, in[0].dtype);
    require_shape(kName, "each input", spec, in[0].shape);
  }
  return {in[0]};
}

PointwiseFunction AddN::pointwise() const {
  PointwiseFunction function = pointwise_value(Add{});
  function.folds = true;
  return function;
}

void AddN::forward(CpuStream& stream, Inputs in, Outputs out) const {
  if (out[0].dtype() == DType::kFloat64) return add_naive<double>(in, out[0]);
  if (!all_dense(in) || !all_dense(out)) return add_naive<float>(in, out[0]);
  float* y = out[0].as<float>();
  stream.parallel_for(out[0].elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      float sum[kBlock];
      for (std::int64_t start = begin; start < end; start += kBlock) {
        const std::int64_t count = std::min(kBlock, end - start);
        std::copy_n(in[0].as<float>() + start, count, sum);
        for (std::size_t k = 1; k < in.size(); ++k) {
          const float* x = in[k].as<float>() + start;
          for (std::int64_t i = 0; i < count; ++i) sum[i] += x[i];
        }
        std::copy_n(sum, count, y + start);
      }
    });
  });
}

void AddN::backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {
  throw InternalError("[add_n] the gradient of each input is dy itself");
}

}  // namespace chiasm
