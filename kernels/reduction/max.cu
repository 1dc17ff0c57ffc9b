// SPDX-License-Identifier: Apache-2.0
// Mapping: reduce.cuh. Backward is a reduction too, to the position of the first element that equals the maximum; dx is
// cleared before, and each output writes one element of it. Memory traffic of backward: x read once, dx written once.
#include <limits>

#include "kernels/reduction/max.h"
#include "kernels/reduction/reduce.cuh"

namespace chiasm {
namespace {

struct MaxReducer {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  float* out;

  struct Output {};
  struct State {
    float largest;
  };
  // NaN wins.
  __device__ static float larger(float a, float b) { return b > a || b != b ? b : a; }
  __device__ State empty() const { return {-std::numeric_limits<float>::infinity()}; }
  __device__ Output output(std::int64_t) const { return {}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const Output&) const {
    state.largest = larger(state.largest, x[0]);
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {larger(a.largest, b.largest)}; }
  __device__ void store(std::int64_t k, const State& state) const { out[k] = state.largest; }
};

struct FirstMaximum {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  const float* y;
  const float* dy;
  float* dx;

  struct Output {
    float largest;
  };
  struct State {
    std::int64_t first;
  };
  __device__ State empty() const { return {std::numeric_limits<std::int64_t>::max()}; }
  __device__ Output output(std::int64_t k) const { return {y[k]}; }
  // Elements of an output come in row-major order of its axes, as offsets do.
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t i, const Output& output) const {
    const bool equal = x[0] == output.largest || (x[0] != x[0] && output.largest != output.largest);
    if (equal && i < state.first) state.first = i;
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {a.first < b.first ? a.first : b.first}; }
  __device__ void store(std::int64_t k, const State& state) const {
    if (state.first != empty().first) dx[state.first] = dy[k];
  }
};

}  // namespace

void Max::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const ReduceLayout layout(in[0].shape(), reduced_axes(kName, axes, in[0].shape().rank()));
  reduce(stream, layout, MaxReducer{{in[0].as<float>()}, out[0].as<float>()},
         stream.workspace(reduce_workspace_bytes<MaxReducer>(layout)));
}

void Max::backward(CudaStream& stream, int, Inputs in, Inputs out, View dy, MutableView dx) const {
  require_cuda_views(kName, in, Outputs(&dx, 1));
  if (dx.elements() == 0) return;
  const ReduceLayout layout(dx.shape(), reduced_axes(kName, axes, dx.shape().rank()));
  CHIASM_CUDA(cudaMemsetAsync(dx.data(), 0, static_cast<std::size_t>(dx.spec().bytes()), stream.native()));
  reduce(stream, layout, FirstMaximum{{in[0].as<float>()}, out[0].as<float>(), dy.as<float>(), dx.as<float>()},
         stream.workspace(reduce_workspace_bytes<FirstMaximum>(layout)));
}

std::int64_t Max::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return reduce_workspace_bytes<MaxReducer>(ReduceLayout(in[0].shape, reduced_axes(kName, axes, in[0].shape.rank())));
}

std::int64_t Max::backward_workspace_bytes(const CudaStream&, int, std::span<const Spec> in) const {
  return reduce_workspace_bytes<FirstMaximum>(ReduceLayout(in[0].shape, reduced_axes(kName, axes, in[0].shape.rank())));
}

}  // namespace chiasm
