// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh; the whole row is read, also beyond the answer.
#include <cmath>
#include <limits>

#include "kernels/reduction/first_reaching.h"
#include "kernels/reduction/reduce.cuh"

namespace chiasm {
namespace {

struct FirstReachingReducer {
  static constexpr int kInputs = 1;
  const float* inputs[kInputs];
  std::int64_t length;
  float threshold;
  std::int32_t* out;

  static constexpr std::int32_t kNone = std::numeric_limits<std::int32_t>::max();
  struct Output {
    std::int64_t start;
  };
  struct State {
    std::int32_t reaching;
    std::int32_t position;  // of the first largest
    float largest;
  };
  __device__ State empty() const { return {kNone, kNone, 0.0f}; }
  __device__ Output output(std::int64_t k) const { return {k * length}; }
  __device__ void add(State& state, const float (&x)[kInputs], std::int64_t i, const Output& output) const {
    const auto position = static_cast<std::int32_t>(i - output.start);
    state = join(state, {x[0] >= threshold ? position : kNone, x[0] == x[0] ? position : kNone, x[0]});
  }
  __device__ void close(State&) const {}
  __device__ State join(const State& a, const State& b) const {
    const bool take_b = b.position != kNone && (a.position == kNone || b.largest > a.largest ||
                                                (b.largest == a.largest && b.position < a.position));
    return {a.reaching < b.reaching ? a.reaching : b.reaching, take_b ? b.position : a.position,
            take_b ? b.largest : a.largest};
  }
  __device__ void store(std::int64_t k, const State& state) const {
    out[k] = state.reaching != kNone ? state.reaching : state.position != kNone ? state.position : 0;
  }
};

AxisMask last_axis(const Shape& shape) {
  AxisMask reduced;
  return reduced.set(static_cast<std::size_t>(shape.rank() - 1));
}

// The smallest float that is not below: x >= threshold is then the same question in float and in double.
float rounded_up(double threshold) {
  const auto rounded = static_cast<float>(threshold);
  return static_cast<double>(rounded) < threshold ? std::nextafter(rounded, std::numeric_limits<float>::infinity())
                                                  : rounded;
}

}  // namespace

void FirstReaching::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const Shape& shape = in[0].shape();
  const ReduceLayout layout(shape, last_axis(shape));
  const FirstReachingReducer reducer{
      {in[0].as<float>()}, shape.at(-1), rounded_up(threshold), out[0].as<std::int32_t>()};
  reduce(stream, layout, reducer, stream.workspace(reduce_workspace_bytes<FirstReachingReducer>(layout)));
}

std::int64_t FirstReaching::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return reduce_workspace_bytes<FirstReachingReducer>(ReduceLayout(in[0].shape, last_axis(in[0].shape)));
}

}  // namespace chiasm
