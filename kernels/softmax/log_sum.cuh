// SPDX-License-Identifier: Apache-2.0
// The log of a sum of exponentials, in one pass: the largest element met so far and the sum of e^(x - largest), which
// is scaled down when a larger one comes.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace chiasm {

// The part of a Reducer (reduce.cuh) that softmax and cross-entropy share. As on the CPU, a NaN makes the sum NaN, and
// where all elements are infinite of one sign x - largest is NaN.
struct LogSumReducer {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];

  struct Output {};
  struct State {
    float largest;
    float sum;
  };
  __device__ State empty() const { return {-std::numeric_limits<float>::infinity(), 0.0f}; }
  __device__ Output output(std::int64_t) const { return {}; }
  template <class AnyOutput>
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const AnyOutput&) const {
    state = join(state, {x[0], x[0] == x[0] ? 1.0f : x[0]});
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const {
    const bool up = b.largest > a.largest;
    const State low = up ? a : b, high = up ? b : a;
    const float scale = low.largest == high.largest ? 1.0f : expf(low.largest - high.largest);
    return {high.largest, high.sum + low.sum * scale};
  }
};

}  // namespace chiasm
