// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh and spread.cuh.
#include "kernels/reduction/reduce.cuh"
#include "kernels/reduction/spread.cuh"
#include "kernels/reduction/sum_over.h"

namespace chiasm {
namespace {

struct SumReducer {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  float scale;
  float* out;

  struct Output {};
  struct State {
    float sum;
  };
  __device__ State empty() const { return {0.0f}; }
  __device__ Output output(std::int64_t) const { return {}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const Output&) const { state.sum += x[0]; }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {a.sum + b.sum}; }
  __device__ void store(std::int64_t k, const State& state) const { out[k] = state.sum * scale; }
};

struct Copied {
  static constexpr bool kReadsElement = false;
  const float* element;
  const float* dy;
  float scale;
  __device__ float operator()(float, std::int64_t k) const { return dy[k] * scale; }
};

}  // namespace

void sum_over(const CudaStream& stream, const View& x, AxisMask reduced, double scale, const MutableView& y) {
  const ReduceLayout layout(x.shape(), reduced);
  const SumReducer reducer{{x.as<float>()}, static_cast<float>(scale), y.as<float>()};
  reduce(stream, layout, reducer, stream.workspace(reduce_workspace_bytes<SumReducer>(layout)));
}

std::int64_t sum_over_workspace_bytes(const CudaStream&, const Spec& x, AxisMask reduced) {
  return reduce_workspace_bytes<SumReducer>(ReduceLayout(x.shape, reduced));
}

void spread_over(const CudaStream& stream, const View& dy, AxisMask reduced, double scale, const MutableView& dx) {
  spread(stream, dx.shape(), reduced, Copied{nullptr, dy.as<float>(), static_cast<float>(scale)}, dx.as<float>());
}

}  // namespace chiasm
