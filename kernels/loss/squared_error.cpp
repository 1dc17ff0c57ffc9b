// SPDX-License-Identifier: Apache-2.0
#include "kernels/loss/squared_error.h"

#include "kernels/reduction/reduce.h"
#include "kernels/softmax/rows.h"

namespace chiasm {
namespace {

AxisMask inside_sample(const Shape& shape) {
  AxisMask reduced;
  for (int axis = 1; axis < shape.rank(); ++axis) reduced.set(static_cast<std::size_t>(axis));
  return reduced;
}

template <class T>
void forward_naive(const View& a, const View& b, const MutableView& loss) {
  const Strides sample{loss.strides()[0]};
  T* to = loss.as<T>();
  for_each_offset(
      loss.shape(), [&](std::int64_t n) { to[n] = T(0); }, sample);
  for_each_offset(
      a.shape(),
      [&](std::int64_t i, std::int64_t j, std::int64_t n) {
        const T difference = a.as<T>()[i] - b.as<T>()[j];
        to[n] += difference * difference;
      },
      a.strides(), b.strides(), sample);
}

template <class T>
void backward_naive(const View& a, const View& b, T factor, const View& dy, const MutableView& dx) {
  const Strides sample{dy.strides()[0]};
  for_each_offset(
      a.shape(),
      [&](std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t k) {
        dx.as<T>()[k] = factor * dy.as<T>()[n] * (a.as<T>()[i] - b.as<T>()[j]);
      },
      a.strides(), b.strides(), sample, dx.strides());
}

}  // namespace

std::vector<Spec> SquaredError::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 2);
  require_floating(kName, "a", in[0]);
  require_dtype(kName, "b", in[1], in[0].dtype);
  require_shape(kName, "b", in[1], in[0].shape);
  if (in[0].shape.rank() == 0) throw_shape(kName, "the inputs must have a first axis of samples, found shape []");
  return {{in[0].dtype, {in[0].shape[0]}}};
}

void SquaredError::forward(CpuStream& stream, Inputs in, Outputs out) const {
  if (in[0].dtype() == DType::kFloat64) return forward_naive<double>(in[0], in[1], out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(in[0], in[1], out[0]);
  const ReducePlan plan(in[0].shape(), inside_sample(in[0].shape()));
  const float *a = in[0].as<float>(), *b = in[1].as<float>();
  float* loss = out[0].as<float>();
  plan.reduce<1>(
      stream, stream.workspace(plan.workspace_bytes(1)), SumOf{},
      [=](std::int64_t i, std::int64_t)
          CHIASM_INLINE_LAMBDA { return std::array<float, 1>{(a[i] - b[i]) * (a[i] - b[i])}; },
      [=](std::int64_t n, const auto& sum) CHIASM_INLINE_LAMBDA { loss[n] = sum[0]; });
}

void SquaredError::backward(CpuStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const double factor = input == 0 ? 2.0 : -2.0;
  if (in[0].dtype() == DType::kFloat64) return backward_naive<double>(in[0], in[1], factor, dy, dx);
  if (!all_dense(in) || !all_dense(dy, dx)) {
    return backward_naive<float>(in[0], in[1], static_cast<float>(factor), dy, dx);
  }
  const std::int64_t samples = dy.elements(), count = samples == 0 ? 0 : dx.elements() / samples;
  stream.parallel_for(samples, row_grain(count), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t n = begin; n < end; ++n) {
        const float *a = in[0].as<float>() + n * count, *b = in[1].as<float>() + n * count;
        float* __restrict__ to = dx.as<float>() + n * count;
        const float weight = static_cast<float>(factor) * dy.as<float>()[n];
        for (std::int64_t i = 0; i < count; ++i) to[i] = weight * (a[i] - b[i]);
      }
    });
  });
}

std::int64_t SquaredError::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  return ReducePlan(in[0].shape, inside_sample(in[0].shape)).workspace_bytes(1);
}

}  // namespace chiasm
