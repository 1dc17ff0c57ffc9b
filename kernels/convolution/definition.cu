// SPDX-License-Identifier: Apache-2.0
// Forward and input gradient: one thread an element of the result, channels innermost, so that a warp reads one pixel
// of the image and neighbouring weights. Weight gradient: a block of 32 output channels x 8 threads for each tap and
// input channel; each of the 8 sums every eighth pixel, and the 8 sums are added in order. Operands come through the
// caches: each product of the definition is read where it is needed.
#include "kernels/convolution/definition.cuh"
#include "kernels/cuda/launch.cuh"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kLanes = 32;
constexpr int kSlots = 8;

// ConvGeometry in the numbers that the loops need; every one fits 31 bits, but products of them do not.
struct Sizes {
  int in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left;
  int group_in, group_out, in_channels, out_channels;
};

Sizes sizes_of(const ConvGeometry& g) {
  const Window2d& w = g.window;
  const auto i = [](std::int64_t size) { return static_cast<int>(size); };
  return {i(w.in.h),       i(w.in.w),        i(w.out.h),       i(w.out.w),       i(w.kernel.h), i(w.kernel.w),
          i(w.stride.h),   i(w.stride.w),    i(w.dilation.h),  i(w.dilation.w),  i(w.top),      i(w.left),
          i(g.group_in()), i(g.group_out()), i(g.in_channels), i(g.out_channels)};
}

__global__ void definition_forward_kernel(const float* x, const float* weight, Sizes s, std::int64_t count, float* y) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= count) return;
  const int o = static_cast<int>(index % s.out_channels);
  const std::int64_t pixel = index / s.out_channels;
  const int j = static_cast<int>(pixel % s.out_w), i = static_cast<int>(pixel / s.out_w % s.out_h);
  const std::int64_t n = pixel / s.out_w / s.out_h;
  const int first = o / s.group_out * s.group_in;
  float sum = 0.0f;
  for (int a = 0; a < s.kernel_h; ++a) {
    const int row = i * s.stride_h - s.top + a * s.dilation_h;
    if (row < 0 || row >= s.in_h) continue;
    for (int b = 0; b < s.kernel_w; ++b) {
      const int column = j * s.stride_w - s.left + b * s.dilation_w;
      if (column < 0 || column >= s.in_w) continue;
      const float* from = x + ((n * s.in_h + row) * s.in_w + column) * s.in_channels + first;
      const float* w = weight + static_cast<std::int64_t>(a * s.kernel_w + b) * s.group_in * s.out_channels + o;
      for (int c = 0; c < s.group_in; ++c) sum += from[c] * w[static_cast<std::int64_t>(c) * s.out_channels];
    }
  }
  y[index] = sum;
}

__global__ void definition_input_gradient_kernel(const float* dy, const float* weight, Sizes s, std::int64_t count,
                                                 float* dx) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= count) return;
  const int channel = static_cast<int>(index % s.in_channels);
  const std::int64_t pixel = index / s.in_channels;
  const int column = static_cast<int>(pixel % s.in_w), row = static_cast<int>(pixel / s.in_w % s.in_h);
  const std::int64_t n = pixel / s.in_w / s.in_h;
  const int first = channel / s.group_in * s.group_out, c = channel % s.group_in;
  float sum = 0.0f;
  for (int a = 0; a < s.kernel_h; ++a) {
    const int i_stride = row + s.top - a * s.dilation_h, i = i_stride / s.stride_h;
    if (i_stride < 0 || i_stride % s.stride_h != 0 || i >= s.out_h) continue;
    for (int b = 0; b < s.kernel_w; ++b) {
      const int j_stride = column + s.left - b * s.dilation_w, j = j_stride / s.stride_w;
      if (j_stride < 0 || j_stride % s.stride_w != 0 || j >= s.out_w) continue;
      const float* from = dy + ((n * s.out_h + i) * s.out_w + j) * s.out_channels + first;
      const float* w =
          weight + (static_cast<std::int64_t>(a * s.kernel_w + b) * s.group_in + c) * s.out_channels + first;
      for (int o = 0; o < s.group_out; ++o) sum += from[o] * w[o];
    }
  }
  dx[index] = sum;
}

// Block (tap and input channel of a group, tile of output channels), flattened.
__global__ void definition_weight_gradient_kernel(const float* x, const float* dy, Sizes s, std::int64_t images,
                                                  int tiles, float* dw) {
  __shared__ float sums[kSlots][kLanes];
  const int lane = static_cast<int>(threadIdx.x), slot = static_cast<int>(threadIdx.y);
  const int o = static_cast<int>(blockIdx.x) % tiles * kLanes + lane;
  const std::int64_t row_of_weights = static_cast<std::int64_t>(blockIdx.x) / tiles;
  const int c = static_cast<int>(row_of_weights % s.group_in), tap = static_cast<int>(row_of_weights / s.group_in);
  const int row0 = tap / s.kernel_w * s.dilation_h - s.top, column0 = tap % s.kernel_w * s.dilation_w - s.left;
  float sum = 0.0f;
  if (o < s.out_channels) {
    const int channel = o / s.group_out * s.group_in + c;
    const std::int64_t pixels = images * s.out_h * s.out_w;
    for (std::int64_t pixel = slot; pixel < pixels; pixel += kSlots) {
      const int j = static_cast<int>(pixel % s.out_w), i = static_cast<int>(pixel / s.out_w % s.out_h);
      const std::int64_t n = pixel / s.out_w / s.out_h;
      const int row = i * s.stride_h + row0, column = j * s.stride_w + column0;
      if (row < 0 || row >= s.in_h || column < 0 || column >= s.in_w) continue;
      sum += x[((n * s.in_h + row) * s.in_w + column) * s.in_channels + channel] * dy[pixel * s.out_channels + o];
    }
  }
  sums[slot][lane] = sum;
  __syncthreads();
  if (slot != 0 || o >= s.out_channels) return;
  for (int other = 1; other < kSlots; ++other) sum += sums[other][lane];
  dw[row_of_weights * s.out_channels + o] = sum;
}

}  // namespace

void convolution_by_definition(const CudaStream& stream, ConvPass pass, const ConvGeometry& g, const float* a,
                               const float* b, float* result) {
  const Sizes sizes = sizes_of(g);
  switch (pass) {
    case ConvPass::kForward:
      CHIASM_LAUNCH(stream, definition_forward_kernel, blocks_for(g.y_elements(), kThreads), kThreads, 0, a, b, sizes,
                    g.y_elements(), result);
      return;
    case ConvPass::kInputGradient:
      CHIASM_LAUNCH(stream, definition_input_gradient_kernel, blocks_for(g.x_elements(), kThreads), kThreads, 0, a, b,
                    sizes, g.x_elements(), result);
      return;
    case ConvPass::kWeightGradient: {
      const std::int64_t tiles = (g.out_channels + kLanes - 1) / kLanes;
      CHIASM_LAUNCH(stream, definition_weight_gradient_kernel, blocks_for(g.taps() * g.group_in() * tiles, 1),
                    dim3(kLanes, kSlots), 0, a, b, sizes, g.batch, static_cast<int>(tiles), result);
      return;
    }
  }
}

}  // namespace chiasm
