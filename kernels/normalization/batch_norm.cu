// SPDX-License-Identifier: Apache-2.0
// Mapping: the statistics and the sums of backward over all rows of x [rows, C] are column reductions (moments.cuh,
// reduce.cuh); what is left is one pass by row_map.cuh.
// Memory traffic: forward reads x twice and writes y; the gradient of x reads x and dy twice and writes dx; the
// gradient of the gain reads x and dy once.
#include "kernels/cuda/row_map.cuh"
#include "kernels/normalization/batch_norm.h"
#include "kernels/normalization/channels.h"
#include "kernels/reduction/moments.cuh"

namespace chiasm {
namespace {

constexpr std::int64_t kFloat = sizeof(float);

struct StoreStatistics {
  const float* gain;
  float count;
  float epsilon;
  float* near;
  float* rest;
  float* variance;
  float* scale;
  __device__ void operator()(std::int64_t c, const Moments& moments) const {
    near[c] = moments.near;
    rest[c] = moments.rest;
    variance[c] = moments.squares / count;
    scale[c] = gain[c] / sqrtf(variance[c] + epsilon);
  }
};

struct Normalise {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  const float* near;
  const float* rest;
  const float* scale;
  const float* offset;

  struct Constants {
    float near;
    float rest;
    float scale;
    float offset;
  };
  __device__ Constants constants(std::int64_t, std::int64_t c) const { return {near[c], rest[c], scale[c], offset[c]}; }
  __device__ float operator()(const float (&x)[kInputs], const Constants& of) const {
    return ((x[0] - of.near) - of.rest) * of.scale + of.offset;
  }
};

// Per channel, what backward needs beside the statistics. rest is what rounding the mean to float left out.
struct Slopes {
  float* rest;
  float* average;  // <dy>
  float* slope;    // <dy x^> / s
  float* scale;    // gain / s
};

// The sums of dy, dy (x - near) and x - near, where near is the mean rounded to float.
struct GradientSums {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];  // x, dy
  const float* near;
  const float* variance;
  const float* gain;
  float share;  // 1 / the number of elements per channel
  float epsilon;
  Slopes slopes;
  float* dgain;  // written instead of the slopes, unless it is null

  struct Output {
    float near;
  };
  struct State {
    float dy;
    float product;
    float distance;
  };
  __device__ State empty() const { return {0.0f, 0.0f, 0.0f}; }
  __device__ Output output(std::int64_t c) const { return {near[c]}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const Output& output) const {
    const float distance = x[0] - output.near;
    state.dy += x[1];
    state.product += x[1] * distance;
    state.distance += distance;
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const {
    return {a.dy + b.dy, a.product + b.product, a.distance + b.distance};
  }
  __device__ void store(std::int64_t c, const State& state) const {
    const float rest = state.distance * share, spread = variance[c] + epsilon;
    const float product = state.product - state.dy * rest;
    if (dgain != nullptr) {
      dgain[c] = product / sqrtf(spread);
      return;
    }
    slopes.rest[c] = rest;
    slopes.average[c] = state.dy * share;
    slopes.slope[c] = product * share / spread;
    slopes.scale[c] = gain[c] / sqrtf(spread);
  }
};

struct NormaliseGradient {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];  // x, dy
  const float* near;
  Slopes slopes;

  struct Constants {
    float near;
    float rest;
    float average;
    float slope;
    float scale;
  };
  __device__ Constants constants(std::int64_t, std::int64_t c) const {
    return {near[c], slopes.rest[c], slopes.average[c], slopes.slope[c], slopes.scale[c]};
  }
  __device__ float operator()(const float (&x)[kInputs], const Constants& of) const {
    return of.scale * ((x[1] - of.average) - ((x[0] - of.near) - of.rest) * of.slope);
  }
};

}  // namespace

void BatchNorm::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const View& x = in[0];
  const std::int64_t channels = x.shape().at(-1);
  if (channels == 0) return;
  const std::int64_t rows = x.elements() / channels;
  auto* rest = reinterpret_cast<float*>(
      stream.workspace(workspace_bytes(stream, std::vector<Spec>{in[0].spec(), in[1].spec(), in[2].spec()})));
  float *scale = rest + channels, *near = out[1].as<float>();
  const StoreStatistics store{
      in[1].as<float>(), static_cast<float>(rows), static_cast<float>(epsilon), near, rest, out[2].as<float>(), scale};
  reduce(stream, ReduceLayout(x.shape(), all_but_last(x.shape())), moments_reducer(x.as<float>(), store),
         scale + channels);
  map_rows(stream, Normalise{{x.as<float>()}, near, rest, scale, in[2].as<float>()}, rows, channels, rows,
           out[0].as<float>());
}

void BatchNorm::backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const {
  const View& x = in[0];
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  const std::int64_t channels = x.shape().at(-1);
  if (channels == 0) return;
  const std::int64_t rows = x.elements() / channels;
  auto* rest = reinterpret_cast<float*>(
      stream.workspace(backward_workspace_bytes(stream, input, std::vector<Spec>{in[0].spec(), in[1].spec()})));
  const Slopes slopes{rest, rest + channels, rest + 2 * channels, rest + 3 * channels};
  const GradientSums sums{{x.as<float>(), dy.as<float>()},
                          out[1].as<float>(),
                          out[2].as<float>(),
                          in[1].as<float>(),
                          static_cast<float>(1.0 / static_cast<double>(rows)),
                          static_cast<float>(epsilon),
                          slopes,
                          input == 1 ? dx.as<float>() : nullptr};
  reduce(stream, ReduceLayout(x.shape(), all_but_last(x.shape())), sums, rest + 4 * channels);
  if (input == 1) return;
  map_rows(stream, NormaliseGradient{{x.as<float>(), dy.as<float>()}, out[1].as<float>(), slopes}, rows, channels, rows,
           dx.as<float>());
}

std::int64_t BatchNorm::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return 2 * in[1].shape.elements() * kFloat +
         reduce_workspace_bytes<MomentsReducer<StoreStatistics>>(ReduceLayout(in[0].shape, all_but_last(in[0].shape)));
}

std::int64_t BatchNorm::backward_workspace_bytes(const CudaStream&, int, std::span<const Spec> in) const {
  return 4 * in[1].shape.elements() * kFloat +
         reduce_workspace_bytes<GradientSums>(ReduceLayout(in[0].shape, all_but_last(in[0].shape)));
}

}  // namespace chiasm
