// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/variance.h"

#include "kernels/elementwise/loop_nest.h"
#include "kernels/reduction/moments.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 16384;

double divisor(const Variance& op, const Shape& shape, AxisMask reduced) {
  return static_cast<double>(reduced_count(shape, reduced) - (op.unbiased ? 1 : 0));
}

// Calls body(start, k, mean) for every output; `start` is the offset of its first element in x.
template <class T, class Body>
void for_each_mean(const View& x, AxisMask reduced, const Strides& over, const Body& body) {
  const Shape outputs = reduced_shape(x.shape(), reduced, true), terms = reduced_shape(x.shape(), ~reduced, true);
  for_each_offset(
      outputs,
      [&](std::int64_t start, std::int64_t k) {
        T sum = T(0);
        for_each_offset(
            terms, [&](std::int64_t i) { sum += x.as<T>()[start + i]; }, x.strides());
        body(start, k, sum / static_cast<T>(terms.elements()));
      },
      x.strides(), over);
}

template <class T>
void forward_naive(const View& x, AxisMask reduced, double count, const MutableView& y) {
  const Shape terms = reduced_shape(x.shape(), ~reduced, true);
  const Strides over = strides_over_input(y.shape(), y.strides(), reduced, x.shape().rank());
  for_each_mean<T>(x, reduced, over, [&](std::int64_t start, std::int64_t k, T mean) {
    T squares = T(0);
    for_each_offset(
        terms, [&](std::int64_t i) { squares += (x.as<T>()[start + i] - mean) * (x.as<T>()[start + i] - mean); },
        x.strides());
    y.as<T>()[k] = squares / static_cast<T>(count);
  });
}

template <class T>
void backward_naive(const View& x, AxisMask reduced, double count, const View& dy, const MutableView& dx) {
  const int rank = x.shape().rank();
  const Shape outputs = reduced_shape(x.shape(), reduced, true), terms = reduced_shape(x.shape(), ~reduced, true);
  const Strides over = strides_over_input(dy.shape(), dy.strides(), reduced, rank);
  for_each_offset(
      outputs,
      [&](std::int64_t start, std::int64_t to, std::int64_t k) {
        T sum = T(0);
        for_each_offset(
            terms, [&](std::int64_t i) { sum += x.as<T>()[start + i]; }, x.strides());
        const T mean = sum / static_cast<T>(terms.elements());
        const T factor = T(2) * dy.as<T>()[k] / static_cast<T>(count);
        for_each_offset(
            terms, [&](std::int64_t i, std::int64_t j) { dx.as<T>()[to + j] = factor * (x.as<T>()[start + i] - mean); },
            x.strides(), dx.strides());
      },
      x.strides(), dx.strides(), over);
}

std::int64_t parts_bytes(const Shape& shape, AxisMask reduced, std::int64_t parts) {
  return parts * reduced_shape(shape, reduced, true).elements() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

std::vector<Spec> Variance::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape.rank());
  if (divisor(*this, in[0].shape, reduced) < 1.0) {
    throw_shape(kName, std::string("the ") +
                           (unbiased ? "unbiased variance needs two elements" : "variance needs an element") +
                           " along the reduced axes, found shape " + to_string(in[0].shape));
  }
  return {{in[0].dtype, reduced_shape(in[0].shape, reduced, keep_axes)}};
}

void Variance::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  const AxisMask reduced = reduced_axes(kName, axes, x.shape().rank());
  const double count = divisor(*this, x.shape(), reduced);
  if (x.dtype() == DType::kFloat64) return forward_naive<double>(x, reduced, count, out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(x, reduced, count, out[0]);
  const std::int64_t outputs = out[0].elements();
  auto* parts = reinterpret_cast<float*>(stream.workspace(workspace_bytes(stream, std::vector<Spec>{x.spec()})));
  float* y = out[0].as<float>();
  moments(stream, x.as<float>(), x.shape(), reduced, parts + 2 * outputs, {parts, parts + outputs}, y);
  for (std::int64_t k = 0; k < outputs; ++k) y[k] = static_cast<float>(y[k] / count);
}

void Variance::backward(CpuStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  const View& x = in[0];
  const AxisMask reduced = reduced_axes(kName, axes, x.shape().rank());
  const double count = divisor(*this, x.shape(), reduced);
  if (x.dtype() == DType::kFloat64) return backward_naive<double>(x, reduced, count, dy, dx);
  if (!all_dense(x, dy, dx)) return backward_naive<float>(x, reduced, count, dy, dx);
  const std::int64_t outputs = dy.elements();
  auto* parts = reinterpret_cast<float*>(stream.workspace(workspace_bytes(stream, std::vector<Spec>{x.spec()})));
  const float *near = parts, *rest = parts + outputs;
  moments(stream, x.as<float>(), x.shape(), reduced, parts + 2 * outputs, {parts, parts + outputs}, nullptr);

  const LoopNest<2> nest(x.shape(),
                         {x.strides(), strides_over_input(dy.shape(), dy.strides(), reduced, x.shape().rank())});
  const auto factor = static_cast<float>(2.0 / count);
  stream.parallel_for(x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      nest.for_rows(begin, end, [&](std::int64_t length, const auto& at) CHIASM_INLINE_LAMBDA {
        const float* from = x.as<float>() + at[0];
        float* __restrict__ to = dx.as<float>() + at[0];
        const float *g = dy.as<float>() + at[1], *m = near + at[1], *r = rest + at[1];
        if (nest.row_stride(1) == 0) {
          const float weight = factor * *g, n = *m, left = *r;
          for (std::int64_t i = 0; i < length; ++i) to[i] = weight * ((from[i] - n) - left);
        } else {
          const std::int64_t step = nest.row_stride(1);
          for (std::int64_t i = 0; i < length; ++i) {
            to[i] = factor * g[i * step] * ((from[i] - m[i * step]) - r[i * step]);
          }
        }
      });
    });
  });
}

std::int64_t Variance::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape.rank());
  return parts_bytes(in[0].shape, reduced, 2) + moments_workspace_bytes(in[0].shape, reduced);
}

std::int64_t Variance::backward_workspace_bytes(const CpuStream& stream, int, std::span<const Spec> in) const {
  return workspace_bytes(stream, in);
}

}  // namespace chiasm
