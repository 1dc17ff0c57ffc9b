// SPDX-License-Identifier: Apache-2.0
#include "kernels/normalization/layer_norm.h"

#include <cmath>

#include "kernels/normalization/channels.h"
#include "kernels/reduction/moments.h"
#include "kernels/reduction/reduce.h"

namespace chiasm {
namespace {

AxisMask inside_sample(const Shape& shape) {
  AxisMask reduced;
  for (int axis = 1; axis < shape.rank(); ++axis) reduced.set(static_cast<std::size_t>(axis));
  return reduced;
}

// The reduction of x [N, ..., C] to [N, C].
AxisMask between(const Shape& shape) { return inside_sample(shape) & all_but_last(shape); }

// x as one sample: the same axes with N = 1.
Shape one_sample(const Shape& shape) { return shape.with(0, 1); }

template <class T>
T mean_of(const View& x, std::int64_t start) {
  T sum = T(0);
  for_each_offset(
      one_sample(x.shape()), [&](std::int64_t i) { sum += x.as<T>()[start + i]; }, x.strides());
  return sum / static_cast<T>(one_sample(x.shape()).elements());
}

template <class T>
void forward_naive(double epsilon, Inputs in, Outputs out) {
  const View& x = in[0];
  const MutableView& y = out[0];
  const Shape sample = one_sample(x.shape());
  for (std::int64_t n = 0; n < x.shape()[0]; ++n) {
    const T* from = x.as<T>() + n * x.strides()[0];
    T* to = y.as<T>() + n * y.strides()[0];
    const T mean = mean_of<T>(x, n * x.strides()[0]);
    T squares = T(0);
    for_each_offset(
        sample, [&](std::int64_t i) { squares += (from[i] - mean) * (from[i] - mean); }, x.strides());
    const T variance = squares / static_cast<T>(sample.elements());
    const T scale = T(1) / std::sqrt(variance + static_cast<T>(epsilon));
    for_each_offset(
        sample,
        [&](std::int64_t i, std::int64_t k, std::int64_t g, std::int64_t o) {
          to[k] = in[1].as<T>()[g] * (from[i] - mean) * scale + in[2].as<T>()[o];
        },
        x.strides(), y.strides(), broadcast_view(in[1], sample).strides(), broadcast_view(in[2], sample).strides());
    out[1].as<T>()[n * out[1].strides()[0]] = mean;
    out[2].as<T>()[n * out[2].strides()[0]] = variance;
  }
}

// With x^ = (x - mean) / s, s = sqrt(variance + epsilon), g = gain dy, and <> the mean over a sample:
//   dx = (g - <g> - x^ <g x^>) / s,  dgain_c = sum of dy x^ over samples and positions.
template <class T>
void backward_x_naive(double epsilon, Inputs in, const View& variance, const View& dy, const MutableView& dx) {
  const View& x = in[0];
  const Shape sample = one_sample(x.shape());
  const Strides gain = broadcast_view(in[1], sample).strides();
  const T* weight = in[1].as<T>();
  const auto count = static_cast<T>(sample.elements());
  for (std::int64_t n = 0; n < x.shape()[0]; ++n) {
    const T* from = x.as<T>() + n * x.strides()[0];
    const T* g = dy.as<T>() + n * dy.strides()[0];
    T* to = dx.as<T>() + n * dx.strides()[0];
    const T mean = mean_of<T>(x, n * x.strides()[0]);
    const T scale = T(1) / std::sqrt(variance.as<T>()[n * variance.strides()[0]] + static_cast<T>(epsilon));
    T sum = T(0), product = T(0);
    for_each_offset(
        sample,
        [&](std::int64_t i, std::int64_t k, std::int64_t c) {
          sum += weight[c] * g[k];
          product += weight[c] * g[k] * (from[i] - mean) * scale;
        },
        x.strides(), dy.strides(), gain);
    for_each_offset(
        sample,
        [&](std::int64_t i, std::int64_t k, std::int64_t c, std::int64_t j) {
          to[j] = scale * (weight[c] * g[k] - sum / count - (from[i] - mean) * scale * (product / count));
        },
        x.strides(), dy.strides(), gain, dx.strides());
  }
}

template <class T>
void backward_gain_naive(double epsilon, const View& x, const View& variance, const View& dy,
                         const MutableView& dgain) {
  const Shape sample = one_sample(x.shape());
  for_each_offset(
      dgain.shape(), [&](std::int64_t c) { dgain.as<T>()[c] = T(0); }, dgain.strides());
  for (std::int64_t n = 0; n < x.shape()[0]; ++n) {
    const T* from = x.as<T>() + n * x.strides()[0];
    const T* g = dy.as<T>() + n * dy.strides()[0];
    const T mean = mean_of<T>(x, n * x.strides()[0]);
    const T scale = T(1) / std::sqrt(variance.as<T>()[n * variance.strides()[0]] + static_cast<T>(epsilon));
    for_each_offset(
        sample,
        [&](std::int64_t i, std::int64_t k, std::int64_t c) { dgain.as<T>()[c] += g[k] * (from[i] - mean) * scale; },
        x.strides(), dy.strides(), broadcast_view(dgain, sample).strides());
  }
}

// Workspace of the float32 backward pass.
struct Scratch {
  Scratch(float* at, std::int64_t samples, std::int64_t channels)
      : near(at),
        sums(near + samples * channels),
        products(sums + samples * channels),
        rests(products + samples * channels),
        average(rests + samples * channels),
        slope(average + samples),
        rest(slope + samples),
        partial(rest + samples) {}
  static std::int64_t bytes(std::int64_t samples, std::int64_t channels) {
    return 4 * (samples * channels * 4 + samples * 3);
  }

  float* near;                     // [N, C], the mean of the sample once per channel
  float *sums, *products, *rests;  // [N, C], over positions: dy, dy (x - near), x - near
  float *average, *slope, *rest;   // [N]: <g>, <g x^> / s, mean - near
  float* partial;                  // of the reduction
};

}  // namespace

std::vector<Spec> LayerNorm::infer(std::span<const Spec> in) const {
  constexpr std::string_view kNames[] = {"gain", "offset"};
  require_channels(kName, in, 2, kNames);
  if (one_sample(in[0].shape).elements() == 0) {
    throw_shape(kName, "x " + to_string(in[0].shape) + " has no element per sample to average over");
  }
  const Spec statistic{in[0].dtype, {in[0].shape[0]}};
  return {in[0], statistic, statistic};
}

void LayerNorm::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  if (x.dtype() == DType::kFloat64) return forward_naive<double>(epsilon, in, out);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(epsilon, in, out);
  const std::int64_t samples = x.shape()[0], channels = x.shape().at(-1);
  if (samples == 0) return;
  const std::int64_t count = x.elements() / samples, positions = count / channels;
  const AxisMask reduced = inside_sample(x.shape());
  auto* rest =
      reinterpret_cast<float*>(stream.workspace(2 * samples * 4 + moments_workspace_bytes(x.shape(), reduced)));
  float *scale = rest + samples, *near = out[1].as<float>(), *variance = out[2].as<float>();
  moments(stream, x.as<float>(), x.shape(), reduced, scale + samples, {near, rest}, variance);
  for (std::int64_t n = 0; n < samples; ++n) {
    variance[n] = static_cast<float>(variance[n] / static_cast<double>(count));
    scale[n] = 1.0f / std::sqrt(variance[n] + static_cast<float>(epsilon));
  }
  const float *gain = in[1].as<float>(), *offset = in[2].as<float>();
  for_each_pixel(stream, samples * positions, channels, [&](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
    const std::int64_t n = pixel / positions;
    const float* from = x.as<float>() + pixel * channels;
    float* __restrict__ to = out[0].as<float>() + pixel * channels;
    const float mean = near[n], left = rest[n], factor = scale[n];
    for (std::int64_t c = 0; c < channels; ++c) {
      to[c] = ((from[c] - mean) - left) * factor * gain[c] + offset[c];
    }
  });
}

// Sums over positions first, giving [N, C]; both gradients follow from those.
void LayerNorm::backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const {
  const View& x = in[0];
  const View &mean = out[1], &variance = out[2];
  if (x.dtype() == DType::kFloat64 || !all_dense(in) || !all_dense(dy, dx, mean, variance)) {
    visit_floating(x.dtype(), [&]<class T>() {
      input == 0 ? backward_x_naive<T>(epsilon, in, variance, dy, dx)
                 : backward_gain_naive<T>(epsilon, x, variance, dy, dx);
    });
    return;
  }
  const std::int64_t samples = x.shape()[0], channels = x.shape().at(-1);
  const std::int64_t count = samples == 0 ? 0 : x.elements() / samples, positions = count / channels;
  const ReducePlan plan(x.shape(), between(x.shape()));
  const Scratch s(
      reinterpret_cast<float*>(stream.workspace(Scratch::bytes(samples, channels) + plan.workspace_bytes(3))), samples,
      channels);
  for (std::int64_t n = 0; n < samples; ++n) std::fill_n(s.near + n * channels, channels, mean.as<float>()[n]);
  const float *from = x.as<float>(), *g = dy.as<float>();
  plan.reduce<3>(
      stream, s.partial, SumOf{},
      [=](std::int64_t i, std::int64_t k) CHIASM_INLINE_LAMBDA {
        const float distance = from[i] - s.near[k];
        return std::array<float, 3>{g[i], g[i] * distance, distance};
      },
      [=](std::int64_t k, const auto& sum) CHIASM_INLINE_LAMBDA {
        s.sums[k] = sum[0];
        s.products[k] = sum[1];
        s.rests[k] = sum[2];
      });
  float* to = dx.as<float>();
  const float* spread = variance.as<float>();
  const auto small = static_cast<float>(epsilon);
  const double share = 1.0 / static_cast<double>(count);
  if (input == 1) std::fill_n(to, channels, 0.0f);
  const float* gain = in[1].as<float>();
  for (std::int64_t n = 0; n < samples; ++n) {
    double rest = 0.0, sum = 0.0, product = 0.0;
    for (std::int64_t k = n * channels; k < (n + 1) * channels; ++k) rest += s.rests[k];
    rest *= share;
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t k = n * channels + c;
      const double about_mean = s.products[k] - s.sums[k] * rest;
      if (input == 1) {
        to[c] += static_cast<float>(about_mean / std::sqrt(static_cast<double>(spread[n] + small)));
      } else {
        sum += gain[c] * s.sums[k];
        product += gain[c] * about_mean;
      }
    }
    s.rest[n] = static_cast<float>(rest);
    s.average[n] = static_cast<float>(sum * share);
    s.slope[n] = static_cast<float>(product * share) / (spread[n] + small);
  }
  if (input == 1) return;
  for_each_pixel(stream, samples * positions, channels, [=](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
    const std::int64_t n = pixel / positions;
    const float *p = from + pixel * channels, *d = g + pixel * channels;
    float* __restrict__ result = to + pixel * channels;
    const float near = s.near[n * channels], rest = s.rest[n], average = s.average[n], slope = s.slope[n];
    const float scale = 1.0f / std::sqrt(spread[n] + small);
    for (std::int64_t c = 0; c < channels; ++c) {
      result[c] = scale * ((gain[c] * d[c] - average) - ((p[c] - near) - rest) * slope);
    }
  });
}

std::int64_t LayerNorm::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  return 2 * in[0].shape[0] * 4 + moments_workspace_bytes(in[0].shape, inside_sample(in[0].shape));
}

std::int64_t LayerNorm::backward_workspace_bytes(const CpuStream&, int, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  return Scratch::bytes(in[0].shape[0], in[0].shape.at(-1)) +
         ReducePlan(in[0].shape, between(in[0].shape)).workspace_bytes(3);
}

}  // namespace chiasm
