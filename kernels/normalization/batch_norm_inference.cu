// SPDX-License-Identifier: Apache-2.0
// Mapping: row_map.cuh; the gradient of the gain is a column reduction (reduce.cuh). Memory traffic: each pass reads
// its inputs once and writes its output once.
#include "kernels/cuda/row_map.cuh"
#include "kernels/normalization/batch_norm_inference.h"
#include "kernels/normalization/channels.h"
#include "kernels/reduction/reduce.cuh"

namespace chiasm {
namespace {

struct Normalise {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  const float* gain;
  const float* offset;
  const float* mean;
  const float* variance;
  float epsilon;

  struct Constants {
    float mean;
    float scale;
    float offset;
  };
  __device__ Constants constants(std::int64_t, std::int64_t c) const {
    return {mean[c], gain[c] / sqrtf(variance[c] + epsilon), offset[c]};
  }
  __device__ float operator()(const float (&x)[kInputs], const Constants& of) const {
    return (x[0] - of.mean) * of.scale + of.offset;
  }
};

struct Scale {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];  // dy
  const float* gain;
  const float* variance;
  float epsilon;

  struct Constants {
    float scale;
  };
  __device__ Constants constants(std::int64_t, std::int64_t c) const {
    return {gain[c] / sqrtf(variance[c] + epsilon)};
  }
  __device__ float operator()(const float (&x)[kInputs], const Constants& of) const { return x[0] * of.scale; }
};

struct GainGradient {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];  // x, dy
  const float* mean;
  const float* variance;
  float epsilon;
  float* dgain;

  struct Output {
    float mean;
  };
  struct State {
    float sum;
  };
  __device__ State empty() const { return {0.0f}; }
  __device__ Output output(std::int64_t c) const { return {mean[c]}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const Output& output) const {
    state.sum += x[1] * (x[0] - output.mean);
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {a.sum + b.sum}; }
  __device__ void store(std::int64_t c, const State& state) const {
    dgain[c] = state.sum / sqrtf(variance[c] + epsilon);
  }
};

}  // namespace

void BatchNormInference::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const std::int64_t channels = in[1].elements();
  if (channels == 0) return;
  const std::int64_t rows = in[0].elements() / channels;
  const Normalise map{{in[0].as<float>()}, in[1].as<float>(), in[2].as<float>(),
                      in[3].as<float>(),   in[4].as<float>(), static_cast<float>(epsilon)};
  map_rows(stream, map, rows, channels, std::max<std::int64_t>(1, rows), out[0].as<float>());
}

void BatchNormInference::backward(CudaStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  const std::int64_t channels = in[4].elements();
  if (channels == 0) return;
  const auto small = static_cast<float>(epsilon);
  const float* variance = in[4].as<float>();
  if (input == 0) {
    const std::int64_t rows = dx.elements() / channels;
    map_rows(stream, Scale{{dy.as<float>()}, in[1].as<float>(), variance, small}, rows, channels,
             std::max<std::int64_t>(1, rows), dx.as<float>());
    return;
  }
  const ReduceLayout layout(dy.shape(), all_but_last(dy.shape()));
  const GainGradient reducer{{in[0].as<float>(), dy.as<float>()}, in[3].as<float>(), variance, small, dx.as<float>()};
  reduce(stream, layout, reducer, stream.workspace(reduce_workspace_bytes<GainGradient>(layout)));
}

std::int64_t BatchNormInference::workspace_bytes(const CudaStream&, std::span<const Spec>) const { return 0; }

std::int64_t BatchNormInference::backward_workspace_bytes(const CudaStream&, int input,
                                                          std::span<const Spec> in) const {
  if (input == 0) return 0;
  return reduce_workspace_bytes<GainGradient>(ReduceLayout(in[0].shape, all_but_last(in[0].shape)));
}

}  // namespace chiasm
