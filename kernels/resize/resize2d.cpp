// SPDX-License-Identifier: Apache-2.0
#include "kernels/resize/resize2d.h"

#include <algorithm>

#include "kernels/indexing/copy.h"
#include "kernels/resize/resize_axis.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 16384;  // elements worth handing to a thread

template <class T>
void forward_reference(const ResizeAxis& rows, const ResizeAxis& columns, const View& x_view,
                       const MutableView& y_view) {
  const auto x = x_view.access<T, 4>();
  const auto y = y_view.access<T, 4>();
  const Shape& shape = y_view.shape();
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t h = 0; h < shape[1]; ++h) {
      for (std::int64_t w = 0; w < shape[2]; ++w) {
        for (std::int64_t c = 0; c < shape[3]; ++c) {
          const ResizeTap a = rows.tap(h);
          const ResizeTap b = columns.tap(w);
          const T u = static_cast<T>(a.weight);
          const T v = static_cast<T>(b.weight);
          y(n, h, w, c) = (1 - u) * ((1 - v) * x(n, a.low, b.low, c) + v * x(n, a.low, b.high, c)) +
                          u * ((1 - v) * x(n, a.high, b.low, c) + v * x(n, a.high, b.high, c));
        }
      }
    }
  }
}

template <class T>
void backward_reference(const ResizeAxis& rows, const ResizeAxis& columns, const View& dy_view,
                        const MutableView& dx_view) {
  const auto dy = dy_view.access<T, 4>();
  const auto dx = dx_view.access<T, 4>();
  const Shape& shape = dy_view.shape();
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t h = 0; h < shape[1]; ++h) {
      for (std::int64_t w = 0; w < shape[2]; ++w) {
        for (std::int64_t c = 0; c < shape[3]; ++c) {
          const ResizeTap a = rows.tap(h);
          const ResizeTap b = columns.tap(w);
          const T u = static_cast<T>(a.weight);
          const T v = static_cast<T>(b.weight);
          const T g = dy(n, h, w, c);
          dx(n, a.low, b.low, c) += (1 - u) * (1 - v) * g;
          dx(n, a.low, b.high, c) += (1 - u) * v * g;
          dx(n, a.high, b.low, c) += u * (1 - v) * g;
          dx(n, a.high, b.high, c) += u * v * g;
        }
      }
    }
  }
}

// One output row at a time; channels are the vector.
void forward_dense(const CpuStream& stream, const ResizeAxis& rows, const ResizeAxis& columns, const View& x,
                   const MutableView& y) {
  const Shape& out = y.shape();
  const std::int64_t channels = out[3], x_row = x.shape()[2] * channels, y_row = out[2] * channels;
  const std::int64_t grain = std::max<std::int64_t>(kGrain / y_row, 1);
  stream.parallel_for(out[0] * out[1], grain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t row = begin; row < end; ++row) {
        const ResizeTap a = rows.tap(row % out[1]);
        const float* image = x.as<float>() + row / out[1] * x.shape()[1] * x_row;
        const float* top = image + a.low * x_row;
        const float* bottom = image + a.high * x_row;
        float* to = y.as<float>() + row * y_row;
        const float u = static_cast<float>(a.weight);
        for (std::int64_t w = 0; w < out[2]; ++w) {
          const ResizeTap b = columns.tap(w);
          const float v = static_cast<float>(b.weight);
          const std::int64_t left = b.low * channels, right = b.high * channels;
          float* __restrict__ pixel = to + w * channels;
          for (std::int64_t c = 0; c < channels; ++c) {
            pixel[c] = (1 - u) * ((1 - v) * top[left + c] + v * top[right + c]) +
                       u * ((1 - v) * bottom[left + c] + v * bottom[right + c]);
          }
        }
      }
    });
  });
}

// One row of dx at a time, from every row of dy that read it: threads never add to the same row, and the order of each
// sum does not depend on them.
void backward_dense(const CpuStream& stream, const ResizeAxis& rows, const ResizeAxis& columns, const View& dy,
                    const MutableView& dx) {
  const Shape& in = dx.shape();
  const Shape& out = dy.shape();
  const std::int64_t channels = in[3], x_row = in[2] * channels, y_row = out[2] * channels;
  const std::int64_t grain = std::max<std::int64_t>(kGrain / (x_row + y_row), 1);
  stream.parallel_for(in[0] * in[1], grain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t row = begin; row < end; ++row) {
        float* to = dx.as<float>() + row * x_row;
        std::fill_n(to, x_row, 0.0f);
        for (std::int64_t h = 0; h < out[1]; ++h) {
          const ResizeTap a = rows.tap(h);
          const std::int64_t h_in = row % in[1];
          if (a.low != h_in && a.high != h_in) continue;
          const float u = static_cast<float>(a.weight);
          const float share = a.low == a.high ? 1.0f : (a.low == h_in ? 1 - u : u);
          const float* from = dy.as<float>() + (row / in[1] * out[1] + h) * y_row;
          for (std::int64_t w = 0; w < out[2]; ++w) {
            const ResizeTap b = columns.tap(w);
            const float v = static_cast<float>(b.weight);
            const float* __restrict__ g = from + w * channels;
            float* __restrict__ left = to + b.low * channels;
            if (b.low == b.high) {
              for (std::int64_t c = 0; c < channels; ++c) left[c] += share * g[c];
              continue;
            }
            float* __restrict__ right = to + b.high * channels;
            for (std::int64_t c = 0; c < channels; ++c) {
              left[c] += share * (1 - v) * g[c];
              right[c] += share * v * g[c];
            }
          }
        }
      }
    });
  });
}

}  // namespace

std::vector<Spec> Resize2d::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "x", in[0]);
  require_rank(kName, "x", in[0], 4);
  const Shape& x = in[0].shape;
  // The limit keeps the integer coordinates exact.
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  for (std::int64_t size : {x[1], x[2], out_h, out_w}) {
    if (size < 1 || size > kLimit) {
      throw_shape(kName, "cannot resize shape " + to_string(x) + " to " + std::to_string(out_h) + " x " +
                             std::to_string(out_w));
    }
  }
  return {Spec{in[0].dtype, {x[0], out_h, out_w, x[3]}}};
}

void Resize2d::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  const MutableView& y = out[0];
  if (x.shape() == y.shape()) return copy_elements(stream, x, y);
  if (y.elements() == 0) return;
  const ResizeAxis rows(x.shape()[1], out_h, convention);
  const ResizeAxis columns(x.shape()[2], out_w, convention);
  if (x.dtype() == DType::kFloat32 && all_dense(x, y)) return forward_dense(stream, rows, columns, x, y);
  visit_floating(x.dtype(), [&]<class T>() { forward_reference<T>(rows, columns, x, y); });
}

void Resize2d::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  if (dx.shape() == dy.shape()) return copy_elements(stream, dy, dx);
  if (dx.elements() == 0) return;
  const ResizeAxis rows(dx.shape()[1], out_h, convention);
  const ResizeAxis columns(dx.shape()[2], out_w, convention);
  if (dx.dtype() == DType::kFloat32 && all_dense(dy, dx)) return backward_dense(stream, rows, columns, dy, dx);
  fill_elements(stream, dx, 0.0);
  visit_floating(dx.dtype(), [&]<class T>() { backward_reference<T>(rows, columns, dy, dx); });
}

}  // namespace chiasm
