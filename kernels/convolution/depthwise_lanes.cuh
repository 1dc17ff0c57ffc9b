// SPDX-License-Identifier: Apache-2.0
// Neighbouring channels of one pixel, which a thread of a depthwise kernel loads, multiplies and stores together.
#pragma once

#include <cuda_runtime.h>

#include "kernels/convolution/geometry.h"

namespace chiasm {

template <int N>
struct alignas(N * sizeof(float)) Lanes {
  static constexpr int kCount = N;
  float value[N];

  __device__ static Lanes zero() {
    Lanes lanes;
#pragma unroll
    for (int i = 0; i < N; ++i) lanes.value[i] = 0.0f;
    return lanes;
  }
  // REQUIRES: `from` is a multiple of the size of Lanes.
  __device__ static Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
  __device__ void store(float* to) const { *reinterpret_cast<Lanes*>(to) = *this; }
  __device__ void add_product(const Lanes& a, const Lanes& b) {
#pragma unroll
    for (int i = 0; i < N; ++i) value[i] += a.value[i] * b.value[i];
  }
};

// ConvGeometry in the numbers that the kernels need. `channels` are those of the output; input channel o / multiplier
// feeds output channel o.
struct DepthwiseSizes {
  int in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left;
  int channels, multiplier, in_channels;
};

inline DepthwiseSizes depthwise_sizes(const ConvGeometry& g) {
  const Window2d& w = g.window;
  const auto i = [](std::int64_t size) { return static_cast<int>(size); };
  return {.in_h = i(w.in.h),
          .in_w = i(w.in.w),
          .out_h = i(w.out.h),
          .out_w = i(w.out.w),
          .kernel_h = i(w.kernel.h),
          .kernel_w = i(w.kernel.w),
          .stride_h = i(w.stride.h),
          .stride_w = i(w.stride.w),
          .dilation_h = i(w.dilation.h),
          .dilation_w = i(w.dilation.w),
          .top = i(w.top),
          .left = i(w.left),
          .channels = i(g.out_channels),
          .multiplier = i(g.group_out()),
          .in_channels = i(g.in_channels)};
}

}  // namespace chiasm
