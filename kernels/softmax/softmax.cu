// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: row_pass.cuh; rows of up to 1024 elements are read and written once, forward and
// backward.
#include "kernels/softmax/log_sum.cuh"
#include "kernels/softmax/row_pass.cuh"
#include "kernels/softmax/softmax.h"

namespace chiasm {
namespace {

struct SoftmaxRow : LogSumReducer {
  struct Constants {
    float largest;
    float scale;
  };
  __device__ Constants finish(std::int64_t, const State& state) const { return {state.largest, 1.0f / state.sum}; }
  __device__ float value(const float (&x)[kInputs], std::int64_t, const Constants& row) const {
    return expf(x[0] - row.largest) * row.scale;
  }
};

// dx = y (dy - sum of y dy)
struct SoftmaxGradientRow {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];  // y, dy

  struct Output {};
  struct State {
    float sum;
  };
  using Constants = State;
  __device__ State empty() const { return {0.0f}; }
  __device__ Output output(std::int64_t) const { return {}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const Output&) const {
    state.sum += x[0] * x[1];
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {a.sum + b.sum}; }
  __device__ Constants finish(std::int64_t, const State& state) const { return state; }
  __device__ float value(const float (&x)[kInputs], std::int64_t, const Constants& row) const {
    return x[0] * (x[1] - row.sum);
  }
};

}  // namespace

void Softmax::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const std::int64_t columns = in[0].shape().at(-1), rows = in[0].elements() / columns;
  row_pass(stream, SoftmaxRow{{{in[0].as<float>()}}}, rows, columns,
           stream.workspace(row_pass_workspace_bytes<SoftmaxRow>(rows, columns)), out[0].as<float>());
}

void Softmax::backward(CudaStream& stream, int, Inputs, Inputs out, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  const std::int64_t columns = dx.shape().at(-1), rows = dx.elements() / columns;
  row_pass(stream, SoftmaxGradientRow{{out[0].as<float>(), dy.as<float>()}}, rows, columns,
           stream.workspace(row_pass_workspace_bytes<SoftmaxGradientRow>(rows, columns)), dx.as<float>());
}

std::int64_t Softmax::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  const std::int64_t columns = in[0].shape.at(-1);
  return row_pass_workspace_bytes<SoftmaxRow>(in[0].shape.elements() / columns, columns);
}

std::int64_t Softmax::backward_workspace_bytes(const CudaStream&, int, std::span<const Spec> in) const {
  const std::int64_t columns = in[0].shape.at(-1);
  return row_pass_workspace_bytes<SoftmaxGradientRow>(in[0].shape.elements() / columns, columns);
}

}  // namespace chiasm
