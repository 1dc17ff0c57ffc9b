// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh forward, one read of the logits; row_map.cuh backward.
#include <limits>

#include "kernels/cuda/row_map.cuh"
#include "kernels/loss/sigmoid_cross_entropy.h"
#include "kernels/reduction/reduce.cuh"

namespace chiasm {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// log(1 + e^x). NaN and +inf pass through.
__device__ float softplus(float x) { return (x < 0.0f ? 0.0f : x) + log1pf(expf(-fabsf(x))); }
__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

struct SigmoidLoss {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  const std::int32_t* labels;
  std::int64_t classes;
  float* loss;

  struct Output {
    std::int64_t label_offset;
  };
  struct State {
    float sum;
  };
  __device__ State empty() const { return {0.0f}; }
  __device__ Output output(std::int64_t n) const { return {n * classes + labels[n]}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t i, const Output& output) const {
    state.sum += softplus(i == output.label_offset ? -x[0] : x[0]);
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {a.sum + b.sum}; }
  __device__ void store(std::int64_t n, const State& state) const {
    loss[n] = labels[n] < 0 || labels[n] >= classes ? kNaN : state.sum;
  }
};

struct SigmoidGradient {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  const std::int32_t* labels;
  std::int64_t classes;
  const float* dy;

  struct Constants {
    float weight;
    bool is_label;
  };
  __device__ Constants constants(std::int64_t n, std::int64_t column) const {
    const std::int64_t label = labels[n];
    return {label < 0 || label >= classes ? kNaN : dy[n], column == label};
  }
  __device__ float operator()(const float (&x)[kInputs], const Constants& constants) const {
    return constants.weight * (constants.is_label ? -sigmoid(-x[0]) : sigmoid(x[0]));
  }
};

}  // namespace

void SigmoidCrossEntropy::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const ReduceLayout layout(in[0].shape(), AxisMask(0b10));
  const SigmoidLoss reducer{{in[0].as<float>()}, in[1].as<std::int32_t>(), in[0].shape()[1], out[0].as<float>()};
  reduce(stream, layout, reducer, stream.workspace(reduce_workspace_bytes<SigmoidLoss>(layout)));
}

void SigmoidCrossEntropy::backward(CudaStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, in, Outputs(&dx, 1));
  const std::int64_t classes = dx.shape()[1];
  const SigmoidGradient map{{in[0].as<float>()}, in[1].as<std::int32_t>(), classes, dy.as<float>()};
  map_rows(stream, map, dx.shape()[0], classes, 1, dx.as<float>());
}

std::int64_t SigmoidCrossEntropy::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return reduce_workspace_bytes<SigmoidLoss>(ReduceLayout(in[0].shape, AxisMask(0b10)));
}

}  // namespace chiasm
