// SPDX-License-Identifier: Apache-2.0
// Mean and sum of squares about the mean in one pass over the tensor, without cancellation.
//
// A thread sums distances from the first element it meets, so a large mean takes no digits. That element is one of at
// most n = 128 that it sums, so its squared distance from their mean is below n/(n-1) times the sum of squares M about
// the mean, and the sum of squares about it is at most (n + 1) M: in the worst case the relative error of M is about
// (n + 1) n epsilon / 2, for data without such an outlier a few epsilon. Sums of two threads are joined about their
// common mean (Chan, Golub and LeVeque 1983), where all terms are positive.
#pragma once

#include "kernels/reduction/reduce.cuh"

namespace chiasm {

// Of one output: the mean as an unevaluated sum near + rest, as in moments.h, and the sum of (x - mean)^2.
struct Moments {
  float near;
  float rest;
  float squares;
};

// A reducer that calls store(k, Moments) for every output.
template <class Store>
struct MomentsReducer {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  Store store_moments;

  struct Output {};
  // Until close(): the number of terms, the first, and the sums of distances from it and of their squares. From then
  // on: the mean is shift + rest, and squares is about the mean.
  struct State {
    float count;
    float shift;
    float rest;
    float squares;
  };

  __device__ State empty() const { return {0.0f, 0.0f, 0.0f, 0.0f}; }
  __device__ Output output(std::int64_t) const { return {}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t, const Output&) const {
    state.shift = state.count == 0.0f ? x[0] : state.shift;
    const float distance = x[0] - state.shift;
    state.count += 1.0f;
    state.rest += distance;
    state.squares += distance * distance;
  }
  __device__ void close(State& state) const {
    if (state.count == 0.0f) return;
    const float mean = state.rest / state.count;
    const float squares = state.squares - state.rest * mean;
    state.rest = mean;
    state.squares = squares < 0.0f ? 0.0f : squares;  // below zero only by rounding; written so that NaN stays
  }
  __device__ State join(const State& a, const State& b) const {
    if (b.count == 0.0f) return a;
    if (a.count == 0.0f) return b;
    const float count = a.count + b.count, weight = b.count / count;
    const float distance = (b.shift - a.shift) + (b.rest - a.rest);
    return {count, a.shift, a.rest + distance * weight,
            a.squares + b.squares + distance * distance * (a.count * weight)};
  }
  __device__ void store(std::int64_t k, const State& state) const {
    const float near = state.shift + state.rest;
    const float added = near - state.shift;  // what the rounded sum took of rest, and of shift
    const float rest = (state.shift - (near - added)) + (state.rest - added);
    store_moments(k, Moments{near, rest, state.squares});
  }
};

template <class Store>
MomentsReducer<Store> moments_reducer(const float* x, const Store& store) {
  return {{x}, store};
}

}  // namespace chiasm
