// SPDX-License-Identifier: Apache-2.0
#include "kernels/pooling/adaptive_average_pool2d.h"

#include "kernels/pooling/pool_window.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 16384;

PixelRange box(std::int64_t i, std::int64_t boxes, std::int64_t size) {
  return {i * size / boxes, ((i + 1) * size + boxes - 1) / boxes};
}

// Calls body(n, i, j, rows, columns) for every box of every image.
template <class Body>
void for_each_box(const Shape& image, const Shape& out, Body&& body) {
  for (std::int64_t n = 0; n < out[0]; ++n) {
    for (std::int64_t i = 0; i < out[1]; ++i) {
      for (std::int64_t j = 0; j < out[2]; ++j) body(n, i, j, box(i, out[1], image[1]), box(j, out[2], image[2]));
    }
  }
}

std::int64_t pixels(PixelRange rows, PixelRange columns) {
  return (rows.last - rows.first) * (columns.last - columns.first);
}

template <class T>
void forward_naive(const View& x_view, const MutableView& y_view) {
  const auto x = x_view.access<T, 4>();
  const auto y = y_view.access<T, 4>();
  for_each_box(x_view.shape(), y_view.shape(),
               [&](std::int64_t n, std::int64_t i, std::int64_t j, PixelRange rows, PixelRange columns) {
                 for (std::int64_t c = 0; c < y_view.shape()[3]; ++c) {
                   T sum = T(0);
                   for (std::int64_t h = rows.first; h < rows.last; ++h) {
                     for (std::int64_t w = columns.first; w < columns.last; ++w) sum += x(n, h, w, c);
                   }
                   y(n, i, j, c) = sum / static_cast<T>(pixels(rows, columns));
                 }
               });
}

template <class T>
void backward_naive(const View& dy_view, const MutableView& dx_view) {
  const auto dy = dy_view.access<T, 4>();
  const auto dx = dx_view.access<T, 4>();
  for_each_offset(
      dx_view.shape(), [&](std::int64_t i) { dx_view.as<T>()[i] = T(0); }, dx_view.strides());
  for_each_box(dx_view.shape(), dy_view.shape(),
               [&](std::int64_t n, std::int64_t i, std::int64_t j, PixelRange rows, PixelRange columns) {
                 for (std::int64_t c = 0; c < dy_view.shape()[3]; ++c) {
                   const T share = dy(n, i, j, c) / static_cast<T>(pixels(rows, columns));
                   for (std::int64_t h = rows.first; h < rows.last; ++h) {
                     for (std::int64_t w = columns.first; w < columns.last; ++w) dx(n, h, w, c) += share;
                   }
                 }
               });
}

}  // namespace

std::vector<Spec> AdaptiveAveragePool2d::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  require_rank(kName, "the input", in[0], 4);
  const Shape& shape = in[0].shape;
  if (shape[1] * shape[2] == 0) throw_shape(kName, "the input " + to_string(shape) + " has no pixel");
  if (height < 1 || width < 1) throw_shape(kName, "a grid of " + to_string(Shape{height, width}) + " boxes");
  return {{in[0].dtype, {shape[0], height, width, shape[3]}}};
}

void AdaptiveAveragePool2d::forward(CpuStream& stream, Inputs in, Outputs out) const {
  if (in[0].dtype() == DType::kFloat64) return forward_naive<double>(in[0], out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(in[0], out[0]);
  const Shape& image = in[0].shape();
  const std::int64_t channels = image[3], row_pixels = image[1] * image[2] / height + 1;
  const float* x = in[0].as<float>();
  float* y = out[0].as<float>();
  stream.parallel_for(image[0] * height, kGrain / (row_pixels * std::max<std::int64_t>(channels, 1)) + 1,
                      [&](std::int64_t begin, std::int64_t end) {
                        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
                          for (std::int64_t row = begin; row < end; ++row) {
                            const PixelRange rows = box(row % height, height, image[1]);
                            for (std::int64_t j = 0; j < width; ++j) {
                              const PixelRange columns = box(j, width, image[2]);
                              float* __restrict__ to = y + (row * width + j) * channels;
                              std::fill_n(to, channels, 0.0f);
                              for (std::int64_t h = rows.first; h < rows.last; ++h) {
                                const float* line = x + (row / height * image[1] + h) * image[2] * channels;
                                for (std::int64_t w = columns.first; w < columns.last; ++w) {
                                  for (std::int64_t c = 0; c < channels; ++c) to[c] += line[w * channels + c];
                                }
                              }
                              const float share = 1.0f / static_cast<float>(pixels(rows, columns));
                              for (std::int64_t c = 0; c < channels; ++c) to[c] *= share;
                            }
                          }
                        });
                      });
}

// Boxes overlap by a pixel at most, so what is left of the naive loop is little; images are independent.
void AdaptiveAveragePool2d::backward(CpuStream&, int, Inputs, Inputs, View dy, MutableView dx) const {
  visit_floating(dx.dtype(), [&]<class T>() { backward_naive<T>(dy, dx); });
}

}  // namespace chiasm
