// SPDX-License-Identifier: Apache-2.0
// Forward and input gradient of depthwise convolution.
//
// A thread computes kStrip neighbouring pixels of one row, for four channels (one where channels are not a multiple of
// four, or lie at odd addresses); neighbouring threads take neighbouring channels, so a warp reads and writes whole
// lines. For kernels of width 3, 5 and 7 at stride 1 or 2, a thread loads each row of its strip's window once into
// registers and uses it for all taps of that row: (kStrip - 1) * stride + width loads for kStrip * width products. Rows
// that several threads share come from the caches. Device memory is read and written about once; weights are read by
// every thread and stay in the first cache.
//
// The input gradient at stride 1 is the same sum with the kernel turned by half a turn. At other strides a thread
// gathers one pixel of dx from the outputs whose windows cover it.
#include <algorithm>

#include "kernels/convolution/depthwise.cuh"
#include "kernels/convolution/depthwise_lanes.cuh"
#include "kernels/convolution/depthwise_weight_gradient.cuh"
#include "kernels/cuda/launch.cuh"

namespace chiasm {

template <int kLanes, int kWidth, int kStride>
struct DepthwiseRowsForm {
  using L = Lanes<kLanes>;
  static constexpr int kernel_width = kWidth;  // zero: any width, stride and dilation
  static constexpr int stride = kStride;
  static constexpr int strip = kLanes == 1 ? 8 : 4;
  static constexpr int window = (strip - 1) * kStride + kWidth;
};

namespace {

constexpr int kThreads = 128;
constexpr int kMaxGridRows = 65535;  // of a grid's second axis

// Grid: x over (strip of a row, channels), y over rows of all images. With `turned`, tap t reads weight taps - 1 - t.
template <class F>
__global__ void __launch_bounds__(kThreads)
    depthwise_rows_kernel(const float* __restrict__ x, const float* __restrict__ weight, DepthwiseSizes s, bool turned,
                          std::int64_t rows, int lanes_per_pixel, int strips, float* __restrict__ y) {
  using L = typename F::L;
  const int index = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  const int strip = index / lanes_per_pixel;
  if (strip >= strips) return;
  const int o = (index - strip * lanes_per_pixel) * L::kCount, j0 = strip * F::strip;
  const int c = s.multiplier == 1 ? o : o / s.multiplier;
  const int taps = s.kernel_h * s.kernel_w;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const std::int64_t n = row / s.out_h;
    const int i = static_cast<int>(row - n * s.out_h);
    L sum[F::strip];
#pragma unroll
    for (int p = 0; p < F::strip; ++p) sum[p] = L::zero();
    for (int a = 0; a < s.kernel_h; ++a) {
      const int in_row = i * s.stride_h - s.top + a * s.dilation_h;
      if (in_row < 0 || in_row >= s.in_h) continue;
      const float* from = x + (n * s.in_h + in_row) * s.in_w * s.in_channels + c;
      const int tap0 = a * s.kernel_w;
      const auto weight_at = [&](int b) {
        const int tap = turned ? taps - 1 - (tap0 + b) : tap0 + b;
        return L::load(weight + static_cast<std::int64_t>(tap) * s.channels + o);
      };
      const auto pixel_at = [&](int column) {
        return column >= 0 && column < s.in_w ? L::load(from + static_cast<std::int64_t>(column) * s.in_channels)
                                              : L::zero();
      };
      if constexpr (F::kernel_width > 0) {
        L window[F::window];
        const int first = j0 * F::stride - s.left;
#pragma unroll
        for (int k = 0; k < F::window; ++k) window[k] = pixel_at(first + k);
#pragma unroll
        for (int b = 0; b < F::kernel_width; ++b) {
          const L w = weight_at(b);
#pragma unroll
          for (int p = 0; p < F::strip; ++p) sum[p].add_product(window[p * F::stride + b], w);
        }
      } else {
        for (int b = 0; b < s.kernel_w; ++b) {
          const L w = weight_at(b);
#pragma unroll
          for (int p = 0; p < F::strip; ++p) {
            sum[p].add_product(pixel_at((j0 + p) * s.stride_w - s.left + b * s.dilation_w), w);
          }
        }
      }
    }
    float* to = y + row * s.out_w * s.channels + o;
#pragma unroll
    for (int p = 0; p < F::strip; ++p) {
      if (j0 + p < s.out_w) sum[p].store(to + static_cast<std::int64_t>(j0 + p) * s.channels);
    }
  }
}

// One thread for L channels of one pixel of dx. With a multiplier, L is one channel and sums its outputs too.
template <class L>
__global__ void __launch_bounds__(kThreads)
    depthwise_gather_kernel(const float* __restrict__ dy, const float* __restrict__ weight, DepthwiseSizes s,
                            std::int64_t count, int lanes_per_pixel, float* __restrict__ dx) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= count) return;
  const std::int64_t pixel = index / lanes_per_pixel;
  const int c = static_cast<int>(index - pixel * lanes_per_pixel) * L::kCount;
  const int column = static_cast<int>(pixel % s.in_w), row = static_cast<int>(pixel / s.in_w % s.in_h);
  const std::int64_t n = pixel / s.in_w / s.in_h;
  L sum = L::zero();
  for (int a = 0; a < s.kernel_h; ++a) {
    const int i_stride = row + s.top - a * s.dilation_h, i = i_stride / s.stride_h;
    if (i_stride < 0 || i_stride != i * s.stride_h || i >= s.out_h) continue;
    for (int b = 0; b < s.kernel_w; ++b) {
      const int j_stride = column + s.left - b * s.dilation_w, j = j_stride / s.stride_w;
      if (j_stride < 0 || j_stride != j * s.stride_w || j >= s.out_w) continue;
      const std::int64_t first = static_cast<std::int64_t>(c) * s.multiplier;
      const float* from = dy + ((n * s.out_h + i) * s.out_w + j) * s.channels + first;
      const float* w = weight + static_cast<std::int64_t>(a * s.kernel_w + b) * s.channels + first;
      for (int o = 0; o < s.multiplier; ++o) sum.add_product(L::load(from + o), L::load(w + o));
    }
  }
  sum.store(dx + pixel * s.in_channels + c);
}

// Every output channel of this form, whose rows a thread walks along.
template <class F>
void run_rows(const CudaStream& stream, const DepthwiseSizes& s, bool turned, std::int64_t batch, const float* x,
              const float* weight, float* y) {
  const int lanes_per_pixel = s.channels / F::L::kCount;
  const int strips = (s.out_w + F::strip - 1) / F::strip;
  const std::int64_t rows = batch * s.out_h;
  const dim3 grid(blocks_for(static_cast<std::int64_t>(strips) * lanes_per_pixel, kThreads),
                  static_cast<unsigned>(std::min<std::int64_t>(rows, kMaxGridRows)));
  CHIASM_LAUNCH(stream, depthwise_rows_kernel<F>, grid, kThreads, 0, x, weight, s, turned, rows, lanes_per_pixel,
                strips, y);
}

template <int kLanes>
void choose_form(const CudaStream& stream, const DepthwiseSizes& s, bool turned, std::int64_t batch, const float* x,
                 const float* weight, float* y) {
  const auto run = [&]<int kWidth, int kStride>() {
    run_rows<DepthwiseRowsForm<kLanes, kWidth, kStride>>(stream, s, turned, batch, x, weight, y);
  };
  if (s.dilation_w == 1 && s.stride_w == 1) {
    if (s.kernel_w == 3) return run.template operator()<3, 1>();
    if (s.kernel_w == 5) return run.template operator()<5, 1>();
    if (s.kernel_w == 7) return run.template operator()<7, 1>();
  }
  if (s.dilation_w == 1 && s.stride_w == 2) {
    if (s.kernel_w == 3) return run.template operator()<3, 2>();
    if (s.kernel_w == 7) return run.template operator()<7, 2>();
  }
  run.template operator()<0, 1>();
}

void run_rows_of_any_form(const CudaStream& stream, const DepthwiseSizes& s, bool turned, std::int64_t batch,
                          const float* x, const float* weight, float* y) {
  const bool vectors =
      s.multiplier == 1 && s.channels % 4 == 0 && is_aligned16(x) && is_aligned16(weight) && is_aligned16(y);
  if (vectors) {
    choose_form<4>(stream, s, turned, batch, x, weight, y);
  } else {
    choose_form<1>(stream, s, turned, batch, x, weight, y);
  }
}

template <class L>
void run_gather(const CudaStream& stream, const ConvGeometry& g, const float* dy, const float* weight, float* dx) {
  const int lanes_per_pixel = static_cast<int>(g.in_channels) / L::kCount;
  const std::int64_t count = g.x_elements() / L::kCount;
  CHIASM_LAUNCH(stream, depthwise_gather_kernel<L>, blocks_for(count, kThreads), kThreads, 0, dy, weight,
                depthwise_sizes(g), count, lanes_per_pixel, dx);
}

void run_input_gradient(const CudaStream& stream, const ConvGeometry& g, const float* dy, const float* weight,
                        float* dx) {
  DepthwiseSizes s = depthwise_sizes(g);
  if (s.multiplier == 1 && g.window.stride == Size2d{}) {
    std::swap(s.in_h, s.out_h);
    std::swap(s.in_w, s.out_w);
    s.top = (s.kernel_h - 1) * s.dilation_h - s.top;
    s.left = (s.kernel_w - 1) * s.dilation_w - s.left;
    return run_rows_of_any_form(stream, s, true, g.batch, dy, weight, dx);
  }
  const bool vectors =
      s.multiplier == 1 && s.channels % 4 == 0 && is_aligned16(dy) && is_aligned16(weight) && is_aligned16(dx);
  if (vectors) {
    run_gather<Lanes<4>>(stream, g, dy, weight, dx);
  } else {
    run_gather<Lanes<1>>(stream, g, dy, weight, dx);
  }
}

}  // namespace

std::int64_t depthwise_workspace_bytes(ConvPass pass, const ConvGeometry& g) {
  return pass == ConvPass::kWeightGradient ? depthwise_weight_gradient_workspace_bytes(g) : 0;
}

void depthwise_convolution(const CudaStream& stream, ConvPass pass, const ConvGeometry& g, const float* a,
                           const float* b, float* result, std::byte* workspace) {
  switch (pass) {
    case ConvPass::kForward:
      return run_rows_of_any_form(stream, depthwise_sizes(g), false, g.batch, a, b, result);
    case ConvPass::kInputGradient:
      return run_input_gradient(stream, g, a, b, result);
    case ConvPass::kWeightGradient:
      return depthwise_weight_gradient(stream, g, a, b, result, workspace);
  }
}

}  // namespace chiasm
