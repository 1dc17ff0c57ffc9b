// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh forward, row_map.cuh backward; a and b are read once by each.
#include "kernels/cuda/row_map.cuh"
#include "kernels/loss/squared_error.h"
#include "kernels/reduction/reduce.cuh"

namespace chiasm {
namespace {

struct SquaredDistance {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];
  float* loss;

  struct Output {};
  struct State {
    float sum;
  };
  __device__ State empty() const { return {0.0f}; }
  __device__ Output output(std::int64_t) const { return {}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const Output&) const {
    const float difference = x[0] - x[1];
    state.sum += difference * difference;
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {a.sum + b.sum}; }
  __device__ void store(std::int64_t n, const State& state) const { loss[n] = state.sum; }
};

struct Difference {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];
  const float* dy;
  float factor;

  struct Constants {
    float weight;
  };
  __device__ Constants constants(std::int64_t n, std::int64_t) const { return {factor * dy[n]}; }
  __device__ float operator()(const float (&x)[kInputs], const Constants& constants) const {
    return constants.weight * (x[0] - x[1]);
  }
};

ReduceLayout layout_of(const Shape& shape) {
  return ReduceLayout(Shape{shape[0], shape[0] == 0 ? 0 : shape.elements() / shape[0]}, AxisMask(0b10));
}

}  // namespace

void SquaredError::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const ReduceLayout layout = layout_of(in[0].shape());
  reduce(stream, layout, SquaredDistance{{in[0].as<float>(), in[1].as<float>()}, out[0].as<float>()},
         stream.workspace(reduce_workspace_bytes<SquaredDistance>(layout)));
}

void SquaredError::backward(CudaStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, in, Outputs(&dx, 1));
  const std::int64_t samples = dy.elements();
  if (samples == 0) return;
  const Difference map{{in[0].as<float>(), in[1].as<float>()}, dy.as<float>(), input == 0 ? 2.0f : -2.0f};
  map_rows(stream, map, samples, dx.elements() / samples, 1, dx.as<float>());
}

std::int64_t SquaredError::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return reduce_workspace_bytes<SquaredDistance>(layout_of(in[0].shape));
}

}  // namespace chiasm
