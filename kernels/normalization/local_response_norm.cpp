// SPDX-License-Identifier: Apache-2.0
#include "kernels/normalization/local_response_norm.h"

#include <cmath>

#include "kernels/normalization/channels.h"
#include "kernels/softmax/rows.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMaxRadius = 256;
constexpr std::int64_t kBlock = 512;  // channels of one step; with both halos they stay in the first-level cache
constexpr std::int64_t kSpan = kBlock + 2 * kMaxRadius;

template <class T>
T base(const LocalResponseNorm& op, const T* x, std::int64_t step, std::int64_t channels, std::int64_t c) {
  T sum = T(0);
  for (std::int64_t j = std::max<std::int64_t>(0, c - op.radius); j < std::min(channels, c + op.radius + 1); ++j) {
    sum += x[j * step] * x[j * step];
  }
  return static_cast<T>(op.bias) + static_cast<T>(op.alpha) * sum;
}

template <class T>
void forward_naive(const LocalResponseNorm& op, const View& x, const MutableView& y) {
  const int last = x.shape().rank() - 1;
  const std::int64_t channels = x.shape()[last], x_step = x.strides()[last], y_step = y.strides()[last];
  for_each_offset(
      without_last(x.shape()),
      [&](std::int64_t i, std::int64_t k) {
        const T* from = x.as<T>() + i;
        for (std::int64_t c = 0; c < channels; ++c) {
          y.as<T>()[k + c * y_step] =
              from[c * x_step] * std::pow(base(op, from, x_step, channels, c), static_cast<T>(-op.beta));
        }
      },
      x.strides(), y.strides());
}

// dx_c = dy_c b_c^-beta - 2 alpha beta x_c * sum of dy_j x_j b_j^(-beta - 1) over |j - c| <= radius, b the base of the
// power.
template <class T>
void backward_naive(const LocalResponseNorm& op, const View& x, const View& dy, const MutableView& dx) {
  const int last = x.shape().rank() - 1;
  const std::int64_t channels = x.shape()[last];
  const std::int64_t x_step = x.strides()[last], dy_step = dy.strides()[last], dx_step = dx.strides()[last];
  const T beta = static_cast<T>(op.beta);
  for_each_offset(
      without_last(x.shape()),
      [&](std::int64_t i, std::int64_t k, std::int64_t o) {
        const T* from = x.as<T>() + i;
        const T* g = dy.as<T>() + k;
        for (std::int64_t c = 0; c < channels; ++c) {
          T sum = T(0);
          for (std::int64_t j = std::max<std::int64_t>(0, c - op.radius); j < std::min(channels, c + op.radius + 1);
               ++j) {
            sum += g[j * dy_step] * from[j * x_step] * std::pow(base(op, from, x_step, channels, j), -beta - T(1));
          }
          dx.as<T>()[o + c * dx_step] = g[c * dy_step] * std::pow(base(op, from, x_step, channels, c), -beta) -
                                        T(2) * static_cast<T>(op.alpha) * beta * from[c * x_step] * sum;
        }
      },
      x.strides(), dy.strides(), dx.strides());
}

// sum[c - first] = sum of value(j) over |j - c| <= radius for c in [first, last): one shifted pass per offset.
template <class Value>
CHIASM_INLINE_LAMBDA inline void window_sums(std::int64_t radius, std::int64_t channels, std::int64_t first,
                                             std::int64_t last, float* sum, const Value& value) {
  std::fill_n(sum, last - first, 0.0f);
  for (std::int64_t shift = -radius; shift <= radius; ++shift) {
    const std::int64_t from = std::max(first, -shift), to = std::min(last, channels - shift);
    for (std::int64_t c = from; c < to; ++c) sum[c - first] += value(c + shift);
  }
}

// base^-beta. 3/4, the exponent in use, needs only square roots.
CHIASM_INLINE_LAMBDA inline void negative_powers(const LocalResponseNorm& op, std::int64_t count, const float* sums,
                                                 float* power) {
  const auto bias = static_cast<float>(op.bias), alpha = static_cast<float>(op.alpha);
  if (op.beta == 0.75) {
    for (std::int64_t i = 0; i < count; ++i) {
      const float root = std::sqrt(bias + alpha * sums[i]);
      power[i] = 1.0f / (root * std::sqrt(root));
    }
  } else {
    const auto beta = static_cast<float>(-op.beta);
    for (std::int64_t i = 0; i < count; ++i) power[i] = std::pow(bias + alpha * sums[i], beta);
  }
}

}  // namespace

std::vector<Spec> LocalResponseNorm::infer(std::span<const Spec> in) const {
  require_channels(kName, in, 1, {});
  if (radius < 0 || radius > kMaxRadius) {
    throw_shape(kName,
                "radius must be between 0 and " + std::to_string(kMaxRadius) + ", found " + std::to_string(radius));
  }
  return {in[0]};
}

void LocalResponseNorm::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  if (x.dtype() == DType::kFloat64) return forward_naive<double>(*this, x, out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(*this, x, out[0]);
  const std::int64_t channels = x.shape().at(-1);
  const std::int64_t pixels = without_last(x.shape()).elements();
  for_each_pixel(stream, pixels, channels, [&](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
    const float* from = x.as<float>() + pixel * channels;
    float* __restrict__ to = out[0].as<float>() + pixel * channels;
    float sums[kBlock], power[kBlock];
    for (std::int64_t first = 0; first < channels; first += kBlock) {
      const std::int64_t count = std::min(kBlock, channels - first);
      window_sums(radius, channels, first, first + count, sums,
                  [from](std::int64_t j) CHIASM_INLINE_LAMBDA { return from[j] * from[j]; });
      negative_powers(*this, count, sums, power);
      for (std::int64_t c = 0; c < count; ++c) to[first + c] = from[first + c] * power[c];
    }
  });
}

void LocalResponseNorm::backward(CpuStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  const View& x = in[0];
  if (x.dtype() == DType::kFloat64) return backward_naive<double>(*this, x, dy, dx);
  if (!all_dense(x, dy, dx)) return backward_naive<float>(*this, x, dy, dx);
  const std::int64_t channels = x.shape().at(-1);
  const auto bias_ = static_cast<float>(bias), alpha_ = static_cast<float>(alpha);
  const auto factor = static_cast<float>(2.0 * alpha * beta);
  for_each_pixel(stream, without_last(x.shape()).elements(), channels, [&](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
    const float* from = x.as<float>() + pixel * channels;
    const float* g = dy.as<float>() + pixel * channels;
    float* __restrict__ to = dx.as<float>() + pixel * channels;
    float sums[kSpan], power[kSpan], terms[kSpan], gathered[kBlock];
    for (std::int64_t first = 0; first < channels; first += kBlock) {
      const std::int64_t last = std::min(first + kBlock, channels);
      // The terms of this block's sums reach `radius` channels further on both sides.
      const std::int64_t low = std::max<std::int64_t>(0, first - radius), high = std::min(channels, last + radius);
      window_sums(radius, channels, low, high, sums,
                  [from](std::int64_t j) CHIASM_INLINE_LAMBDA { return from[j] * from[j]; });
      negative_powers(*this, high - low, sums, power);
      for (std::int64_t j = 0; j < high - low; ++j) {
        terms[j] = g[low + j] * from[low + j] * power[j] / (bias_ + alpha_ * sums[j]);
      }
      const float* term = terms;
      window_sums(radius, channels, first, last, gathered,
                  [=](std::int64_t j) CHIASM_INLINE_LAMBDA { return term[j - low]; });
      for (std::int64_t c = first; c < last; ++c) {
        to[c] = g[c] * power[c - low] - factor * from[c] * gathered[c - first];
      }
    }
  });
}

}  // namespace chiasm
