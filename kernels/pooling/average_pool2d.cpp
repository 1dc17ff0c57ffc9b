// SPDX-License-Identifier: Apache-2.0
#include "kernels/pooling/average_pool2d.h"

#include "kernels/pooling/pool_window.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 16384;

// The geometry and how many pixels a window counts.
class Averaging {
 public:
  Averaging(const AveragePool2d& op, const Shape& image)
      : g(resolve_pool(op.kName, op.padding, image, op.window, op.stride)), with_padding_(op.count_include_pad) {
    const bool same = op.padding.kind == Padding2d::Kind::kSame;
    end_ = {g.in.h + (same ? g.bottom : op.padding.bottom), g.in.w + (same ? g.right : op.padding.right)};
  }
  PixelRange rows(std::int64_t i) const { return inside(i, g.stride.h, g.top, g.kernel.h, g.in.h); }
  PixelRange columns(std::int64_t j) const { return inside(j, g.stride.w, g.left, g.kernel.w, g.in.w); }
  double share(std::int64_t i, std::int64_t j) const {
    PixelRange h = rows(i), w = columns(j);
    if (with_padding_) {
      h = {i * g.stride.h - g.top, std::min(i * g.stride.h - g.top + g.kernel.h, end_.h)};
      w = {j * g.stride.w - g.left, std::min(j * g.stride.w - g.left + g.kernel.w, end_.w)};
    }
    return 1.0 / static_cast<double>((h.last - h.first) * (w.last - w.first));
  }

  Window2d g;

 private:
  bool with_padding_;
  Size2d end_;  // of the padded image
};

template <class T>
void forward_naive(const Averaging& a, const View& x_view, const MutableView& y_view) {
  const auto x = x_view.access<T, 4>();
  const auto y = y_view.access<T, 4>();
  for (std::int64_t n = 0; n < y_view.shape()[0]; ++n) {
    for (std::int64_t i = 0; i < a.g.out.h; ++i) {
      for (std::int64_t j = 0; j < a.g.out.w; ++j) {
        for (std::int64_t c = 0; c < y_view.shape()[3]; ++c) {
          T sum = T(0);
          for (std::int64_t h = a.rows(i).first; h < a.rows(i).last; ++h) {
            for (std::int64_t w = a.columns(j).first; w < a.columns(j).last; ++w) sum += x(n, h, w, c);
          }
          y(n, i, j, c) = sum * static_cast<T>(a.share(i, j));
        }
      }
    }
  }
}

template <class T>
void backward_naive(const Averaging& a, const View& dy_view, const MutableView& dx_view) {
  const auto dy = dy_view.access<T, 4>();
  const auto dx = dx_view.access<T, 4>();
  for_each_offset(
      dx_view.shape(), [&](std::int64_t i) { dx_view.as<T>()[i] = T(0); }, dx_view.strides());
  for (std::int64_t n = 0; n < dy_view.shape()[0]; ++n) {
    for (std::int64_t i = 0; i < a.g.out.h; ++i) {
      for (std::int64_t j = 0; j < a.g.out.w; ++j) {
        for (std::int64_t c = 0; c < dy_view.shape()[3]; ++c) {
          for (std::int64_t h = a.rows(i).first; h < a.rows(i).last; ++h) {
            for (std::int64_t w = a.columns(j).first; w < a.columns(j).last; ++w) {
              dx(n, h, w, c) += dy(n, i, j, c) * static_cast<T>(a.share(i, j));
            }
          }
        }
      }
    }
  }
}

// to[c] += scale * from[c]
CHIASM_INLINE_LAMBDA inline void add_scaled(const float* from, float scale, std::int64_t channels,
                                            float* __restrict__ to) {
  for (std::int64_t c = 0; c < channels; ++c) to[c] += from[c] * scale;
}

}  // namespace

std::vector<Spec> AveragePool2d::infer(std::span<const Spec> in) const {
  return {infer_pool(kName, padding, in, window, stride)};
}

void AveragePool2d::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const Averaging a(*this, in[0].shape());
  if (in[0].dtype() == DType::kFloat64) return forward_naive<double>(a, in[0], out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(a, in[0], out[0]);
  const std::int64_t channels = in[0].shape()[3];
  const std::int64_t work = std::max<std::int64_t>(1, a.g.out.w * channels * a.g.kernel.h * a.g.kernel.w);
  const float* x = in[0].as<float>();
  float* y = out[0].as<float>();
  stream.parallel_for(in[0].shape()[0] * a.g.out.h, kGrain / work + 1, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t i = row % a.g.out.h;
        const float* image = x + row / a.g.out.h * a.g.in.h * a.g.in.w * channels;
        for (std::int64_t j = 0; j < a.g.out.w; ++j) {
          float* to = y + (row * a.g.out.w + j) * channels;
          const auto share = static_cast<float>(a.share(i, j));
          const PixelRange rows = a.rows(i), columns = a.columns(j);
          std::fill_n(to, channels, 0.0f);
          for (std::int64_t h = rows.first; h < rows.last; ++h) {
            for (std::int64_t w = columns.first; w < columns.last; ++w) {
              add_scaled(image + (h * a.g.in.w + w) * channels, share, channels, to);
            }
          }
        }
      }
    });
  });
}

// Every input pixel gathers from the windows that cover it, in order, so rows are independent.
void AveragePool2d::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  const Averaging a(*this, dx.shape());
  if (dx.dtype() == DType::kFloat64) return backward_naive<double>(a, dy, dx);
  if (!all_dense(dy, dx)) return backward_naive<float>(a, dy, dx);
  const std::int64_t channels = dx.shape()[3];
  const std::int64_t work = std::max<std::int64_t>(1, a.g.in.w * channels);
  const float* from = dy.as<float>();
  stream.parallel_for(dx.shape()[0] * a.g.in.h, kGrain / work + 1, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t n = row / a.g.in.h;
        const PixelRange rows = covering(row % a.g.in.h, a.g.stride.h, a.g.top, a.g.kernel.h, a.g.out.h);
        for (std::int64_t w = 0; w < a.g.in.w; ++w) {
          const PixelRange columns = covering(w, a.g.stride.w, a.g.left, a.g.kernel.w, a.g.out.w);
          float* to = dx.as<float>() + (row * a.g.in.w + w) * channels;
          std::fill_n(to, channels, 0.0f);
          for (std::int64_t i = rows.first; i < rows.last; ++i) {
            for (std::int64_t j = columns.first; j < columns.last; ++j) {
              const float* source = from + ((n * a.g.out.h + i) * a.g.out.w + j) * channels;
              add_scaled(source, static_cast<float>(a.share(i, j)), channels, to);
            }
          }
        }
      }
    });
  });
}

}  // namespace chiasm
