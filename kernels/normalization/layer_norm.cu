// SPDX-License-Identifier: Apache-2.0
// Mapping: the statistics of a sample, all of its elements, are a row reduction (moments.cuh) that cuts long samples
// over blocks. Backward first sums over positions, giving [N, C], from which both gradients follow by small reductions.
// What is left is one pass by row_map.cuh, in groups of the positions of a sample. Memory traffic: forward reads x
// twice and writes y; the gradient of x reads x and dy twice and writes dx; the gradient of the gain reads x and dy
// once. Tensors of [N, C] come on top.
#include "kernels/cuda/row_map.cuh"
#include "kernels/normalization/channels.h"
#include "kernels/normalization/layer_norm.h"
#include "kernels/reduction/moments.cuh"

namespace chiasm {
namespace {

constexpr std::int64_t kFloat = sizeof(float);

// x [N, ..., C] as N samples of `positions` rows of C channels.
struct Sizes {
  explicit Sizes(const Shape& shape)
      : samples(shape[0]),
        channels(shape.at(-1)),
        positions(samples == 0 ? 1 : shape.elements() / (samples * channels)) {}
  ReduceLayout to_samples() const { return ReduceLayout(Shape{samples, positions * channels}, AxisMask(0b10)); }
  ReduceLayout to_sample_channels() const { return ReduceLayout(Shape{samples, positions, channels}, AxisMask(0b010)); }
  // Of a tensor [N, C].
  ReduceLayout over_channels() const { return ReduceLayout(Shape{samples, channels}, AxisMask(0b10)); }
  ReduceLayout over_samples() const { return ReduceLayout(Shape{samples, channels}, AxisMask(0b01)); }

  std::int64_t samples;
  std::int64_t channels;
  std::int64_t positions;
};

struct StoreStatistics {
  float count;
  float epsilon;
  float* near;
  float* rest;
  float* variance;
  float* scale;
  __device__ void operator()(std::int64_t n, const Moments& moments) const {
    near[n] = moments.near;
    rest[n] = moments.rest;
    variance[n] = moments.squares / count;
    scale[n] = 1.0f / sqrtf(variance[n] + epsilon);
  }
};

struct Normalise {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  const float* near;
  const float* rest;
  const float* scale;
  const float* gain;
  const float* offset;

  struct Constants {
    float near;
    float rest;
    float scale;
    float offset;
  };
  __device__ Constants constants(std::int64_t n, std::int64_t c) const {
    return {near[n], rest[n], scale[n] * gain[c], offset[c]};
  }
  __device__ float operator()(const float (&x)[kInputs], const Constants& of) const {
    return ((x[0] - of.near) - of.rest) * of.scale + of.offset;
  }
};

// Of each sample and channel, over positions: dy, dy (x - near), x - near; near is the mean rounded to float.
struct PositionSums {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];  // x, dy
  const float* near;
  std::int64_t channels;
  float* sums;
  float* products;
  float* distances;

  struct Output {
    float near;
  };
  struct State {
    float dy;
    float product;
    float distance;
  };
  __device__ State empty() const { return {0.0f, 0.0f, 0.0f}; }
  __device__ Output output(std::int64_t k) const { return {near[k / channels]}; }
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
  __device__ void store(std::int64_t k, const State& state) const {
    sums[k] = state.dy;
    products[k] = state.product;
    distances[k] = state.distance;
  }
};

// Of each sample, from the sums above: rest = mean - near, <g> and <g x^> / s with g = gain dy.
struct SampleSums {
  static constexpr int kInputs = 3;
  const float* inputs[kInputs];  // sums, products, distances
  const float* gain;             // null where only rest and scale are wanted
  const float* variance;
  std::int64_t channels;
  float share;  // 1 / the number of elements of a sample
  float epsilon;
  float* rest;
  float* scale;  // 1 / s
  float* average;
  float* slope;

  struct Output {
    std::int64_t start;
  };
  struct State {
    float sum;
    float product;
    float distance;
  };
  __device__ State empty() const { return {0.0f, 0.0f, 0.0f}; }
  __device__ Output output(std::int64_t n) const { return {n * channels}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t i, const Output& output) const {
    const float weight = gain == nullptr ? 0.0f : gain[i - output.start];
    state.sum += weight * x[0];
    state.product += weight * x[1];
    state.distance += x[2];
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const {
    return {a.sum + b.sum, a.product + b.product, a.distance + b.distance};
  }
  __device__ void store(std::int64_t n, const State& state) const {
    rest[n] = state.distance * share;
    scale[n] = 1.0f / sqrtf(variance[n] + epsilon);
    average[n] = state.sum * share;
    slope[n] = (state.product - state.sum * rest[n]) * share / (variance[n] + epsilon);
  }
};

// dgain_c, the sum over samples of (product - sum rest) / s.
struct GainGradient {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];  // sums, products
  const float* rest;
  const float* scale;
  std::int64_t channels;
  float* dgain;

  struct Output {};
  struct State {
    float sum;
  };
  __device__ State empty() const { return {0.0f}; }
  __device__ Output output(std::int64_t) const { return {}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t i, const Output&) const {
    const std::int64_t n = i / channels;
    state.sum += (x[1] - x[0] * rest[n]) * scale[n];
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const { return {a.sum + b.sum}; }
  __device__ void store(std::int64_t c, const State& state) const { dgain[c] = state.sum; }
};

struct NormaliseGradient {
  static constexpr int kInputs = 2;
  const float* inputs[kInputs];  // x, dy
  const float* gain;
  const float* near;
  const float* rest;
  const float* scale;
  const float* average;
  const float* slope;

  struct Constants {
    float gain;
    float near;
    float rest;
    float scale;
    float average;
    float slope;
  };
  __device__ Constants constants(std::int64_t n, std::int64_t c) const {
    return {gain[c], near[n], rest[n], scale[n], average[n], slope[n]};
  }
  __device__ float operator()(const float (&x)[kInputs], const Constants& of) const {
    return of.scale * ((of.gain * x[1] - of.average) - ((x[0] - of.near) - of.rest) * of.slope);
  }
};

// Workspace of backward.
struct Scratch {
  Scratch(std::byte* at, const Sizes& of)
      : sums(reinterpret_cast<float*>(at)),
        products(sums + of.samples * of.channels),
        distances(products + of.samples * of.channels),
        rest(distances + of.samples * of.channels),
        scale(rest + of.samples),
        average(scale + of.samples),
        slope(average + of.samples),
        partial(slope + of.samples) {}
  static std::int64_t bytes(const Sizes& of) {
    return (3 * of.samples * of.channels + 4 * of.samples) * kFloat +
           std::max({reduce_workspace_bytes<PositionSums>(of.to_sample_channels()),
                     reduce_workspace_bytes<SampleSums>(of.over_channels()),
                     reduce_workspace_bytes<GainGradient>(of.over_samples())});
  }
  float *sums, *products, *distances;     // [N, C]
  float *rest, *scale, *average, *slope;  // [N]
  float* partial;                         // of one reduction after the other
};

}  // namespace

void LayerNorm::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const Sizes of(in[0].shape());
  if (of.samples == 0) return;
  auto* rest = reinterpret_cast<float*>(stream.workspace(workspace_bytes(stream, std::vector<Spec>{in[0].spec()})));
  float *scale = rest + of.samples, *near = out[1].as<float>();
  const StoreStatistics store{static_cast<float>(of.positions * of.channels),
                              static_cast<float>(epsilon),
                              near,
                              rest,
                              out[2].as<float>(),
                              scale};
  reduce(stream, of.to_samples(), moments_reducer(in[0].as<float>(), store), scale + of.samples);
  const Normalise map{{in[0].as<float>()}, near, rest, scale, in[1].as<float>(), in[2].as<float>()};
  map_rows(stream, map, of.samples * of.positions, of.channels, of.positions, out[0].as<float>());
}

void LayerNorm::backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const {
  const View& x = in[0];
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  const Sizes of(x.shape());
  const Scratch s(stream.workspace(backward_workspace_bytes(stream, input, std::vector<Spec>{x.spec()})), of);
  const float *near = out[1].as<float>(), *variance = out[2].as<float>();
  const float* gain = input == 0 ? in[1].as<float>() : nullptr;
  const auto share = static_cast<float>(1.0 / static_cast<double>(of.positions * of.channels));
  reduce(stream, of.to_sample_channels(),
         PositionSums{{x.as<float>(), dy.as<float>()}, near, of.channels, s.sums, s.products, s.distances}, s.partial);
  const SampleSums samples{{s.sums, s.products, s.distances}, gain,   variance, of.channels, share,
                           static_cast<float>(epsilon),       s.rest, s.scale,  s.average,   s.slope};
  reduce(stream, of.over_channels(), samples, s.partial);
  if (input == 1) {
    const GainGradient reducer{{s.sums, s.products}, s.rest, s.scale, of.channels, dx.as<float>()};
    reduce(stream, of.over_samples(), reducer, s.partial);
    return;
  }
  const NormaliseGradient map{{x.as<float>(), dy.as<float>()}, gain, near, s.rest, s.scale, s.average, s.slope};
  map_rows(stream, map, of.samples * of.positions, of.channels, of.positions, dx.as<float>());
}

std::int64_t LayerNorm::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  const Sizes of(in[0].shape);
  return 2 * of.samples * kFloat + reduce_workspace_bytes<MomentsReducer<StoreStatistics>>(of.to_samples());
}

std::int64_t LayerNorm::backward_workspace_bytes(const CudaStream&, int, std::span<const Spec> in) const {
  return Scratch::bytes(Sizes(in[0].shape));
}

}  // namespace chiasm
