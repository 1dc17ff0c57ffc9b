// SPDX-License-Identifier: Apache-2.0
#include "kernels/normalization/batch_norm_inference.h"

#include <cmath>

#include "kernels/normalization/channels.h"
#include "kernels/reduction/reduce.h"

namespace chiasm {
namespace {

template <class T>
void forward_naive(double epsilon, Inputs in, const MutableView& y) {
  const auto over = [&](int i) { return broadcast_view(in[i], y.shape()).strides(); };
  const auto at = [&](int i, std::int64_t offset) { return in[i].as<T>()[offset]; };
  for_each_offset(
      y.shape(),
      [&](std::int64_t k, std::int64_t i, std::int64_t g, std::int64_t o, std::int64_t m, std::int64_t v) {
        y.as<T>()[k] = at(1, g) * (at(0, i) - at(3, m)) / std::sqrt(at(4, v) + static_cast<T>(epsilon)) + at(2, o);
      },
      y.strides(), in[0].strides(), over(1), over(2), over(3), over(4));
}

template <class T>
void backward_x_naive(double epsilon, Inputs in, const View& dy, const MutableView& dx) {
  for_each_offset(
      dx.shape(),
      [&](std::int64_t j, std::int64_t k, std::int64_t g, std::int64_t v) {
        dx.as<T>()[j] = dy.as<T>()[k] * in[1].as<T>()[g] / std::sqrt(in[4].as<T>()[v] + static_cast<T>(epsilon));
      },
      dx.strides(), dy.strides(), broadcast_view(in[1], dx.shape()).strides(),
      broadcast_view(in[4], dx.shape()).strides());
}

template <class T>
void backward_gain_naive(double epsilon, Inputs in, const View& dy, const MutableView& dgain) {
  const Shape& shape = dy.shape();
  for_each_offset(
      dgain.shape(), [&](std::int64_t c) { dgain.as<T>()[c] = T(0); }, dgain.strides());
  for_each_offset(
      shape,
      [&](std::int64_t k, std::int64_t i, std::int64_t c, std::int64_t m, std::int64_t v) {
        dgain.as<T>()[c] += dy.as<T>()[k] * (in[0].as<T>()[i] - in[3].as<T>()[m]) /
                            std::sqrt(in[4].as<T>()[v] + static_cast<T>(epsilon));
      },
      dy.strides(), in[0].strides(), broadcast_view(dgain, shape).strides(), broadcast_view(in[3], shape).strides(),
      broadcast_view(in[4], shape).strides());
}

}  // namespace

std::vector<Spec> BatchNormInference::infer(std::span<const Spec> in) const {
  constexpr std::string_view kNames[] = {"gain", "offset", "mean", "variance"};
  require_channels(kName, in, 1, kNames);
  return {in[0]};
}

void BatchNormInference::forward(CpuStream& stream, Inputs in, Outputs out) const {
  if (out[0].dtype() == DType::kFloat64) return forward_naive<double>(epsilon, in, out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(epsilon, in, out[0]);
  const std::int64_t channels = in[1].elements();
  auto* scale = reinterpret_cast<float*>(stream.workspace(channels * 4));
  const float *gain = in[1].as<float>(), *offset = in[2].as<float>(), *mean = in[3].as<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    scale[c] = gain[c] / std::sqrt(in[4].as<float>()[c] + static_cast<float>(epsilon));
  }
  for_each_pixel(stream, channels == 0 ? 0 : out[0].elements() / channels, channels,
                 [&](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
                   const float* from = in[0].as<float>() + pixel * channels;
                   float* __restrict__ to = out[0].as<float>() + pixel * channels;
                   for (std::int64_t c = 0; c < channels; ++c) to[c] = (from[c] - mean[c]) * scale[c] + offset[c];
                 });
}

void BatchNormInference::backward(CpuStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const bool fast = dy.dtype() == DType::kFloat32 && all_dense(in) && all_dense(dy, dx);
  const std::int64_t channels = in[4].elements();
  const float* g = fast ? dy.as<float>() : nullptr;
  const float* variance = fast ? in[4].as<float>() : nullptr;
  const auto small = static_cast<float>(epsilon);
  if (!fast) {
    visit_floating(dy.dtype(), [&]<class T>() {
      input == 0 ? backward_x_naive<T>(epsilon, in, dy, dx) : backward_gain_naive<T>(epsilon, in, dy, dx);
    });
    return;
  }
  float* to = dx.as<float>();
  if (input == 0) {
    auto* scale = reinterpret_cast<float*>(stream.workspace(channels * 4));
    for (std::int64_t c = 0; c < channels; ++c) scale[c] = in[1].as<float>()[c] / std::sqrt(variance[c] + small);
    for_each_pixel(stream, channels == 0 ? 0 : dx.elements() / channels, channels,
                   [=](std::int64_t pixel) CHIASM_INLINE_LAMBDA {
                     for (std::int64_t c = 0; c < channels; ++c) {
                       to[pixel * channels + c] = g[pixel * channels + c] * scale[c];
                     }
                   });
    return;
  }
  const ReducePlan plan(dy.shape(), all_but_last(dy.shape()));
  const float *x = in[0].as<float>(), *mean = in[3].as<float>();
  plan.reduce<1>(
      stream, stream.workspace(plan.workspace_bytes(1)), SumOf{},
      [=](std::int64_t i, std::int64_t c)
          CHIASM_INLINE_LAMBDA { return std::array<float, 1>{g[i] * (x[i] - mean[c])}; },
      [=](std::int64_t c, const auto& sum) CHIASM_INLINE_LAMBDA { to[c] = sum[0] / std::sqrt(variance[c] + small); });
}

std::int64_t BatchNormInference::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  return in[0].dtype == DType::kFloat32 ? in[1].bytes() : 0;
}

std::int64_t BatchNormInference::backward_workspace_bytes(const CpuStream&, int input, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  return input == 0 ? in[1].bytes() : ReducePlan(in[0].shape, all_but_last(in[0].shape)).workspace_bytes(1);
}

}  // namespace chiasm
