// SPDX-License-Identifier: Apache-2.0
#include "kernels/pooling/max_pool2d.h"

#include "kernels/pooling/pool_window.h"
#include "kernels/reduction/lanes.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 16384;
constexpr std::int64_t kChannels = 128;  // of one task of backward: its flags stay in the first-level cache

template <class T>
bool same_value(T a, T b) {
  return a == b || (a != a && b != b);
}

template <class T>
void forward_naive(const Window2d& g, const View& x_view, const MutableView& y_view) {
  const auto x = x_view.access<T, 4>();
  const auto y = y_view.access<T, 4>();
  for (std::int64_t n = 0; n < y_view.shape()[0]; ++n) {
    for (std::int64_t i = 0; i < g.out.h; ++i) {
      for (std::int64_t j = 0; j < g.out.w; ++j) {
        const PixelRange rows = inside(i, g.stride.h, g.top, g.kernel.h, g.in.h);
        const PixelRange columns = inside(j, g.stride.w, g.left, g.kernel.w, g.in.w);
        for (std::int64_t c = 0; c < y_view.shape()[3]; ++c) {
          T largest = x(n, rows.first, columns.first, c);
          for (std::int64_t h = rows.first; h < rows.last; ++h) {
            for (std::int64_t w = columns.first; w < columns.last; ++w) {
              const T value = x(n, h, w, c);
              if (value > largest || value != value) largest = value;
            }
          }
          y(n, i, j, c) = largest;
        }
      }
    }
  }
}

template <class T>
void backward_naive(const Window2d& g, const View& x_view, const View& y_view, const View& dy_view,
                    const MutableView& dx_view) {
  const auto x = x_view.access<T, 4>();
  const auto y = y_view.access<T, 4>();
  const auto dy = dy_view.access<T, 4>();
  const auto dx = dx_view.access<T, 4>();
  for_each_offset(
      dx_view.shape(), [&](std::int64_t i) { dx_view.as<T>()[i] = T(0); }, dx_view.strides());
  for (std::int64_t n = 0; n < y_view.shape()[0]; ++n) {
    for (std::int64_t i = 0; i < g.out.h; ++i) {
      for (std::int64_t j = 0; j < g.out.w; ++j) {
        const PixelRange rows = inside(i, g.stride.h, g.top, g.kernel.h, g.in.h);
        const PixelRange columns = inside(j, g.stride.w, g.left, g.kernel.w, g.in.w);
        for (std::int64_t c = 0; c < y_view.shape()[3]; ++c) {
          bool found = false;
          for (std::int64_t h = rows.first; h < rows.last && !found; ++h) {
            for (std::int64_t w = columns.first; w < columns.last && !found; ++w) {
              found = same_value(x(n, h, w, c), y(n, i, j, c));
              if (found) dx(n, h, w, c) += dy(n, i, j, c);
            }
          }
        }
      }
    }
  }
}

// Rows of outputs [begin, end) of all images; every pixel of a window is one run over channels.
CHIASM_INLINE_LAMBDA inline void forward_rows(const Window2d& g, std::int64_t channels, const float* x, float* y,
                                              std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const float* image = x + row / g.out.h * g.in.h * g.in.w * channels;
    const PixelRange rows = inside(row % g.out.h, g.stride.h, g.top, g.kernel.h, g.in.h);
    for (std::int64_t j = 0; j < g.out.w; ++j) {
      float* __restrict__ to = y + (row * g.out.w + j) * channels;
      const PixelRange columns = inside(j, g.stride.w, g.left, g.kernel.w, g.in.w);
      if (rows.last - rows.first == 2 && columns.last - columns.first == 2) {
        // Nearly every window of the models here is 2x2.
        const float* a = image + (rows.first * g.in.w + columns.first) * channels;
        const float* b = a + g.in.w * channels;
        for (std::int64_t c = 0; c < channels; ++c) {
          to[c] = MaxOf{}(MaxOf{}(a[c], a[channels + c]), MaxOf{}(b[c], b[channels + c]));
        }
        continue;
      }
      std::copy_n(image + (rows.first * g.in.w + columns.first) * channels, channels, to);
      for (std::int64_t h = rows.first; h < rows.last; ++h) {
        for (std::int64_t w = columns.first; w < columns.last; ++w) {
          const float* from = image + (h * g.in.w + w) * channels;
          for (std::int64_t c = 0; c < channels; ++c) to[c] = MaxOf{}(to[c], from[c]);
        }
      }
    }
  }
}

// The same where windows tile the image, so that each pixel of dx is in one window and is written once. Rows of outputs
// [begin, end) of all images.
CHIASM_INLINE_LAMBDA inline void backward_tiles(const Window2d& g, std::int64_t channels, const float* x,
                                                const float* y, const float* dy, float* dx, std::int64_t begin,
                                                std::int64_t end) {
  const auto same = [](float a, float b)
                        CHIASM_INLINE_LAMBDA { return (a == b ? 1 : 0) | ((a != a ? 1 : 0) & (b != b ? 1 : 0)); };
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t top = (row / g.out.h * g.in.h + row % g.out.h * 2) * g.in.w;
    const bool two_rows = row % g.out.h * 2 + 1 < g.in.h;
    for (std::int64_t j = 0; j < g.out.w; ++j) {
      const float* largest = y + (row * g.out.w + j) * channels;
      const float* gradient = dy + (row * g.out.w + j) * channels;
      const std::int64_t a = (top + 2 * j) * channels, below = g.in.w * channels;
      const bool two_columns = 2 * j + 1 < g.in.w;
      if (two_rows && two_columns) {
#pragma GCC ivdep
        for (std::int64_t c = 0; c < channels; ++c) {
          const float m = largest[c], d = gradient[c];
          const std::int32_t s0 = same(x[a + c], m);
          const std::int32_t s1 = same(x[a + channels + c], m) & (s0 ^ 1);
          const std::int32_t s2 = same(x[a + below + c], m) & ((s0 | s1) ^ 1);
          const std::int32_t s3 = same(x[a + below + channels + c], m) & ((s0 | s1 | s2) ^ 1);
          dx[a + c] = s0 != 0 ? d : 0.0f;
          dx[a + channels + c] = s1 != 0 ? d : 0.0f;
          dx[a + below + c] = s2 != 0 ? d : 0.0f;
          dx[a + below + channels + c] = s3 != 0 ? d : 0.0f;
        }
        continue;
      }
      // At the lower and right edge of an odd size: a pair, or one pixel.
      const std::int64_t b = two_columns ? a + channels : two_rows ? a + below : a;
#pragma GCC ivdep
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int32_t s0 = same(x[a + c], largest[c]);
        const std::int32_t s1 = same(x[b + c], largest[c]) & (s0 ^ 1);
        if (b != a) dx[b + c] = s1 != 0 ? gradient[c] : 0.0f;
        dx[a + c] = s0 != 0 ? gradient[c] : 0.0f;
      }
    }
  }
}

// Channels [first, first + count) of one image. Windows may overlap, so one task does all of them in order; rows of dx
// are cleared just before the first window that reaches them, while they are in the cache.
CHIASM_INLINE_LAMBDA inline void backward_image(const Window2d& g, std::int64_t channels, std::int64_t count,
                                                const float* x, const float* y, const float* dy, float* dx) {
  std::int64_t cleared = 0;
  const auto clear_to = [&](std::int64_t row) CHIASM_INLINE_LAMBDA {
    for (std::int64_t pixel = cleared * g.in.w; pixel < row * g.in.w; ++pixel) {
      std::fill_n(dx + pixel * channels, count, 0.0f);
    }
    cleared = std::max(cleared, row);
  };
  std::int32_t open[kChannels];  // 1 until the maximum of the window was found
  for (std::int64_t i = 0; i < g.out.h; ++i) {
    const PixelRange rows = inside(i, g.stride.h, g.top, g.kernel.h, g.in.h);
    clear_to(rows.last);
    for (std::int64_t j = 0; j < g.out.w; ++j) {
      const PixelRange columns = inside(j, g.stride.w, g.left, g.kernel.w, g.in.w);
      const float* largest = y + (i * g.out.w + j) * channels;
      const float* gradient = dy + (i * g.out.w + j) * channels;
      std::fill_n(open, count, 1);
      for (std::int64_t h = rows.first; h < rows.last; ++h) {
        for (std::int64_t w = columns.first; w < columns.last; ++w) {
          const float* from = x + (h * g.in.w + w) * channels;
          float* to = dx + (h * g.in.w + w) * channels;
#pragma GCC ivdep
          for (std::int64_t c = 0; c < count; ++c) {
            const std::int32_t equal = from[c] == largest[c] ? 1 : 0;
            const std::int32_t both_nan = (from[c] != from[c] ? 1 : 0) & (largest[c] != largest[c] ? 1 : 0);
            const std::int32_t chosen = (equal | both_nan) & open[c];
            to[c] += chosen != 0 ? gradient[c] : 0.0f;
            open[c] -= chosen;
          }
        }
      }
    }
  }
  clear_to(g.in.h);
}

}  // namespace

std::vector<Spec> MaxPool2d::infer(std::span<const Spec> in) const {
  return {infer_pool(kName, padding, in, window, stride)};
}

void MaxPool2d::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const Window2d g = resolve_pool(kName, padding, in[0].shape(), window, stride);
  if (in[0].dtype() == DType::kFloat64) return forward_naive<double>(g, in[0], out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(g, in[0], out[0]);
  const std::int64_t channels = in[0].shape()[3];
  const std::int64_t work = g.out.w * channels * g.kernel.h * g.kernel.w;
  stream.parallel_for(in[0].shape()[0] * g.out.h, kGrain / std::max<std::int64_t>(work, 1) + 1,
                      [&](std::int64_t begin, std::int64_t end) {
                        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
                          forward_rows(g, channels, in[0].as<float>(), out[0].as<float>(), begin, end);
                        });
                      });
}

void MaxPool2d::backward(CpuStream& stream, int, Inputs in, Inputs out, View dy, MutableView dx) const {
  const Window2d g = resolve_pool(kName, padding, in[0].shape(), window, stride);
  if (dx.dtype() == DType::kFloat64) return backward_naive<double>(g, in[0], out[0], dy, dx);
  if (!all_dense(in[0], out[0], dy, dx)) return backward_naive<float>(g, in[0], out[0], dy, dx);
  const std::int64_t channels = in[0].shape()[3];
  const bool two = g.kernel.h == 2 && g.kernel.w == 2 && g.stride.h == 2 && g.stride.w == 2;
  if (two && g.top == 0 && g.left == 0 && 2 * g.out.h >= g.in.h && 2 * g.out.w >= g.in.w) {
    // 2x2 windows that cover the image: nearly every pooling of the models here.
    const std::int64_t work = 4 * g.out.w * channels;
    return stream.parallel_for(in[0].shape()[0] * g.out.h, kGrain / std::max<std::int64_t>(work, 1) + 1,
                               [&](std::int64_t begin, std::int64_t end) {
                                 with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
                                   backward_tiles(g, channels, in[0].as<float>(), out[0].as<float>(), dy.as<float>(),
                                                  dx.as<float>(), begin, end);
                                 });
                               });
  }
  const std::int64_t blocks = (channels + kChannels - 1) / kChannels;
  const std::int64_t in_image = g.in.h * g.in.w * channels, out_image = g.out.h * g.out.w * channels;
  stream.parallel_for(in[0].shape()[0] * blocks, kGrain / std::max<std::int64_t>(in_image, 1) + 1,
                      [&](std::int64_t begin, std::int64_t end) {
                        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
                          for (std::int64_t task = begin; task < end; ++task) {
                            const std::int64_t n = task / blocks, first = task % blocks * kChannels;
                            backward_image(
                                g, channels, std::min(kChannels, channels - first),
                                in[0].as<float>() + n * in_image + first, out[0].as<float>() + n * out_image + first,
                                dy.as<float>() + n * out_image + first, dx.as<float>() + n * in_image + first);
                          }
                        });
                      });
}

}  // namespace chiasm
