// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax/log_softmax.h"

#include "kernels/softmax/rows.h"

namespace chiasm {
namespace {

template <class T>
void forward_naive(const View& x, const MutableView& y) {
  const int last = x.shape().rank() - 1;
  const std::int64_t count = x.shape()[last], x_step = x.strides()[last], y_step = y.strides()[last];
  for_each_offset(
      without_last(x.shape()),
      [&](std::int64_t i, std::int64_t k) {
        const T* from = x.as<T>() + i;
        T* to = y.as<T>() + k;
        const LogSum<T> row = log_sum(from, x_step, count);
        for (std::int64_t c = 0; c < count; ++c) {
          to[c * y_step] = from[c * x_step] - row.largest - row.log_sum();
        }
      },
      x.strides(), y.strides());
}

template <class T>
void backward_naive(const View& y, const View& dy, const MutableView& dx) {
  const int last = y.shape().rank() - 1;
  const std::int64_t count = y.shape()[last];
  const std::int64_t y_step = y.strides()[last], dy_step = dy.strides()[last], dx_step = dx.strides()[last];
  for_each_offset(
      without_last(y.shape()),
      [&](std::int64_t k, std::int64_t d, std::int64_t i) {
        const T *p = y.as<T>() + k, *g = dy.as<T>() + d;
        T sum = T(0);
        for (std::int64_t c = 0; c < count; ++c) sum += g[c * dy_step];
        for (std::int64_t c = 0; c < count; ++c) {
          dx.as<T>()[i + c * dx_step] = g[c * dy_step] - std::exp(p[c * y_step]) * sum;
        }
      },
      y.strides(), dy.strides(), dx.strides());
}

}  // namespace

std::vector<Spec> LogSoftmax::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  if (in[0].shape.rank() == 0 || in[0].shape.at(-1) == 0) {
    throw_shape(kName, "the input must have a last axis that is not empty, found " + to_string(in[0].shape));
  }
  return {in[0]};
}

void LogSoftmax::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  const MutableView& y = out[0];
  if (x.dtype() == DType::kFloat64) return forward_naive<double>(x, y);
  if (!all_dense(x, y)) return forward_naive<float>(x, y);
  const std::int64_t count = x.shape().at(-1);
  stream.parallel_for(x.elements() / count, row_grain(count), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t row = begin; row < end; ++row) {
        const float* from = x.as<float>() + row * count;
        float* __restrict__ to = y.as<float>() + row * count;
        const LogSum<float> all = log_sum_dense(from, count);
        const float log_sum = all.log_sum();
        for (std::int64_t c = 0; c < count; ++c) to[c] = (from[c] - all.largest) - log_sum;
      }
    });
  });
}

void LogSoftmax::backward(CpuStream& stream, int, Inputs, Inputs out, View dy, MutableView dx) const {
  const View& y = out[0];
  if (y.dtype() == DType::kFloat64) return backward_naive<double>(y, dy, dx);
  if (!all_dense(y, dy, dx)) return backward_naive<float>(y, dy, dx);
  const std::int64_t count = y.shape().at(-1);
  stream.parallel_for(y.elements() / count, row_grain(count), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t row = begin; row < end; ++row) {
        const float* p = y.as<float>() + row * count;
        const float* g = dy.as<float>() + row * count;
        float* __restrict__ to = dx.as<float>() + row * count;
        const float sum = reduce_run<1>(
            count, SumOf{}, [=](std::int64_t c) CHIASM_INLINE_LAMBDA { return std::array<float, 1>{g[c]}; })[0];
        for (std::int64_t c = 0; c < count; ++c) to[c] = g[c] - approx::exp(p[c]) * sum;
      }
    });
  });
}

}  // namespace chiasm
