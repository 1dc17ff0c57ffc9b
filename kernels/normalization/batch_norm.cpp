// SPDX-License-Identifier: Apache-2.0
#include "kernels/normalization/batch_norm.h"

#include <cmath>

#include "kernels/normalization/channels.h"
#include "kernels/reduction/moments.h"
#include "kernels/reduction/reduce.h"
#include "kernels/softmax/rows.h"

namespace chiasm {
namespace {

// Element c of a [C] tensor.
template <class T, class V>
auto& channel(const V& view, std::int64_t c) {
  return view.template as<T>()[c * view.strides()[0]];
}

template <class T>
void forward_naive(double epsilon, Inputs in, Outputs out) {
  const View& x = in[0];
  const MutableView &y = out[0], &mean = out[1], &variance = out[2];
  const Shape pixels = without_last(x.shape());
  const std::int64_t channels = x.shape().at(-1);
  const std::int64_t x_step = x.strides()[pixels.rank()], y_step = y.strides()[pixels.rank()];
  const auto count = static_cast<T>(pixels.elements());
  for (std::int64_t c = 0; c < channels; ++c) {
    const T* from = x.as<T>() + c * x_step;
    T* to = y.as<T>() + c * y_step;
    T sum = T(0), squares = T(0);
    for_each_offset(
        pixels, [&](std::int64_t i) { sum += from[i]; }, x.strides());
    const T m = sum / count;
    for_each_offset(
        pixels, [&](std::int64_t i) { squares += (from[i] - m) * (from[i] - m); }, x.strides());
    const T scale = channel<T>(in[1], c) / std::sqrt(squares / count + static_cast<T>(epsilon));
    const T offset = channel<T>(in[2], c);
    for_each_offset(
        pixels, [&](std::int64_t i, std::int64_t k) { to[k] = (from[i] - m) * scale + offset; }, x.strides(),
        y.strides());
    channel<T>(mean, c) = m;
    channel<T>(variance, c) = squares / count;
  }
}

// With x^ = (x - mean) / s, s = sqrt(variance + epsilon), and <> the mean over the batch:
//   dx = gain / s (dy - <dy> - x^ <dy x^>),  dgain = sum of dy x^.
template <class T>
void backward_naive(double epsilon, int input, Inputs in, Inputs out, const View& dy, const MutableView& dx) {
  const View& x = in[0];
  const Shape pixels = without_last(x.shape());
  const int last = pixels.rank();
  const auto count = static_cast<T>(pixels.elements());
  for (std::int64_t c = 0; c < x.shape()[last]; ++c) {
    const T* from = x.as<T>() + c * x.strides()[last];
    const T* g = dy.as<T>() + c * dy.strides()[last];
    // Not out[1]: in float32 it lacks the digits that a large mean takes.
    T total = T(0), sum = T(0), product = T(0);
    for_each_offset(
        pixels, [&](std::int64_t i) { total += from[i]; }, x.strides());
    const T mean = total / count;
    const T scale = T(1) / std::sqrt(channel<T>(out[2], c) + static_cast<T>(epsilon));
    for_each_offset(
        pixels,
        [&](std::int64_t i, std::int64_t k) {
          sum += g[k];
          product += g[k] * (from[i] - mean) * scale;
        },
        x.strides(), dy.strides());
    if (input == 1) {
      channel<T>(dx, c) = product;
      continue;
    }
    T* to = dx.as<T>() + c * dx.strides()[last];
    const T factor = channel<T>(in[1], c) * scale;
    for_each_offset(
        pixels,
        [&](std::int64_t i, std::int64_t k, std::int64_t j) {
          to[j] = factor * (g[k] - sum / count - (from[i] - mean) * scale * (product / count));
        },
        x.strides(), dy.strides(), dx.strides());
  }
}

}  // namespace

std::vector<Spec> BatchNorm::infer(std::span<const Spec> in) const {
  constexpr std::string_view kNames[] = {"gain", "offset"};
  require_channels(kName, in, 1, kNames);
  if (without_last(in[0].shape).elements() == 0) {
    throw_shape(kName, "x " + to_string(in[0].shape) + " has no element per channel to average over");
  }
  return {in[0], in[1], in[1]};
}

void BatchNorm::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  if (x.dtype() == DType::kFloat64) return forward_naive<double>(epsilon, in, out);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(epsilon, in, out);
  const std::int64_t channels = x.shape().at(-1);
  if (channels == 0) return;
  const std::int64_t pixels = x.elements() / channels;
  const AxisMask reduced = all_but_last(x.shape());
  auto* rest =
      reinterpret_cast<float*>(stream.workspace(2 * channels * 4 + moments_workspace_bytes(x.shape(), reduced)));
  float *scale = rest + channels, *near = out[1].as<float>(), *variance = out[2].as<float>();
  moments(stream, x.as<float>(), x.shape(), reduced, scale + channels, {near, rest}, variance);
  const float *gain = in[1].as<float>(), *offset = in[2].as<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    variance[c] = static_cast<float>(variance[c] / static_cast<double>(pixels));
    scale[c] = gain[c] / std::sqrt(variance[c] + static_cast<float>(epsilon));
  }
  for_each_pixel(stream, pixels, channels, [&](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
    const float* from = x.as<float>() + pixel * channels;
    float* __restrict__ to = out[0].as<float>() + pixel * channels;
    for (std::int64_t c = 0; c < channels; ++c) to[c] = ((from[c] - near[c]) - rest[c]) * scale[c] + offset[c];
  });
}

void BatchNorm::backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const {
  const View& x = in[0];
  if (x.dtype() == DType::kFloat64) return backward_naive<double>(epsilon, input, in, out, dy, dx);
  const View &mean = out[1], &variance = out[2];
  if (!all_dense(in) || !all_dense(dy, dx, mean, variance)) {
    return backward_naive<float>(epsilon, input, in, out, dy, dx);
  }
  const std::int64_t channels = x.shape().at(-1);
  if (channels == 0) return;
  const std::int64_t pixels = x.elements() / channels;
  const ReducePlan plan(x.shape(), all_but_last(x.shape()));
  auto* rest = reinterpret_cast<float*>(stream.workspace(4 * channels * 4 + plan.workspace_bytes(3)));
  float *average = rest + channels, *slope = average + channels;  // <dy>, and <dy x^> / s
  float* scale = slope + channels;
  const float *from = x.as<float>(), *g = dy.as<float>(), *near = mean.as<float>(), *spread = variance.as<float>();
  const auto share = static_cast<float>(1.0 / static_cast<double>(pixels));
  const auto small = static_cast<float>(epsilon);
  float* gradient = dx.as<float>();
  // out[1] is the mean rounded to float; the third sum finds what that left out.
  plan.reduce<3>(
      stream, scale + channels, SumOf{},
      [=](std::int64_t i, std::int64_t c) CHIASM_INLINE_LAMBDA {
        const float distance = from[i] - near[c];
        return std::array<float, 3>{g[i], g[i] * distance, distance};
      },
      [=](std::int64_t c, const auto& sum) CHIASM_INLINE_LAMBDA {
        rest[c] = sum[2] * share;
        const float product = sum[1] - sum[0] * rest[c];
        average[c] = sum[0] * share;
        slope[c] = product * share / (spread[c] + small);
        if (input == 1) gradient[c] = product / std::sqrt(spread[c] + small);
      });
  if (input == 1) return;
  const float* gain = in[1].as<float>();
  for (std::int64_t c = 0; c < channels; ++c) scale[c] = gain[c] / std::sqrt(spread[c] + small);
  for_each_pixel(stream, pixels, channels, [&](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
    const float *p = from + pixel * channels, *d = g + pixel * channels;
    float* __restrict__ to = gradient + pixel * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      to[c] = scale[c] * ((d[c] - average[c]) - ((p[c] - near[c]) - rest[c]) * slope[c]);
    }
  });
}

std::int64_t BatchNorm::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  return 2 * in[1].bytes() + moments_workspace_bytes(in[0].shape, all_but_last(in[0].shape));
}

std::int64_t BatchNorm::backward_workspace_bytes(const CpuStream&, int, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  return 4 * in[1].bytes() + ReducePlan(in[0].shape, all_but_last(in[0].shape)).workspace_bytes(3);
}

}  // namespace chiasm
