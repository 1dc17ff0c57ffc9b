// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh forward, one read of the logits; row_pass.cuh backward, which takes the
// log-sum again instead of reading the probabilities of a softmax.
#include "kernels/loss/cross_entropy.h"
#include "kernels/softmax/log_sum.cuh"
#include "kernels/softmax/row_pass.cuh"

namespace chiasm {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct CrossEntropyLoss : LogSumReducer {
  const std::int32_t* labels;
  std::int64_t classes;
  float* loss;
  __device__ void store(std::int64_t n, const State& state) const {
    const std::int64_t label = labels[n];
    loss[n] = label < 0 || label >= classes ? kNaN : (state.largest - inputs[0][n * classes + label]) + logf(state.sum);
  }
};

struct CrossEntropyGradientRow : LogSumReducer {
  const std::int32_t* labels;
  std::int64_t classes;
  const float* dy;
  struct Constants {
    float largest;
    float scale;
    float weight;
    std::int64_t label;
  };
  __device__ Constants finish(std::int64_t n, const State& state) const {
    const std::int64_t label = labels[n];
    const float weight = label < 0 || label >= classes ? kNaN : dy[n];
    return {state.largest, weight / state.sum, weight, label};
  }
  __device__ float value(const float (&x)[kInputs], std::int64_t column, const Constants& row) const {
    return expf(x[0] - row.largest) * row.scale - (column == row.label ? row.weight : 0.0f);
  }
};

}  // namespace

void CrossEntropy::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const ReduceLayout layout(in[0].shape(), AxisMask(0b10));
  const CrossEntropyLoss reducer{{{in[0].as<float>()}}, in[1].as<std::int32_t>(), in[0].shape()[1], out[0].as<float>()};
  reduce(stream, layout, reducer, stream.workspace(reduce_workspace_bytes<CrossEntropyLoss>(layout)));
}

void CrossEntropy::backward(CudaStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, in, Outputs(&dx, 1));
  const std::int64_t rows = dx.shape()[0], classes = dx.shape()[1];
  const CrossEntropyGradientRow row{{{in[0].as<float>()}}, in[1].as<std::int32_t>(), classes, dy.as<float>()};
  row_pass(stream, row, rows, classes,
           stream.workspace(row_pass_workspace_bytes<CrossEntropyGradientRow>(rows, classes)), dx.as<float>());
}

std::int64_t CrossEntropy::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return reduce_workspace_bytes<CrossEntropyLoss>(ReduceLayout(in[0].shape, AxisMask(0b10)));
}

std::int64_t CrossEntropy::backward_workspace_bytes(const CudaStream&, int, std::span<const Spec> in) const {
  return row_pass_workspace_bytes<CrossEntropyGradientRow>(in[0].shape[0], in[0].shape[1]);
}

}  // namespace chiasm
