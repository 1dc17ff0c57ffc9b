// SPDX-License-Identifier: Apache-2.0
// dw[a, b, o] sums x * dy over every pixel of every image, in two stages without atomics.
//
// First, the rows of all images are cut into pieces. A block takes one piece and a tile of channels: a thread has one
// row of taps of four channels (or one), up to seven taps of it in registers, and walks along the rows in strips of
// four pixels, loading dy and the window of x of a strip once for all of its taps. Threads of different rows of taps
// read the same dy and overlapping x, which come from the first cache. Then the partial sums of the pieces are added in
// order, one thread an element. How many pieces there are depends on the sizes alone, so that bits do not depend on the
// device.
//
// Device memory: x and dy are read about once for each pass over taps (once for up to seven columns of taps), and the
// partial sums are written and read once: at most kPieceBlocks blocks of them.
#include <algorithm>

#include "kernels/convolution/depthwise_lanes.cuh"
#include "kernels/convolution/depthwise_weight_gradient.cuh"
#include "kernels/cuda/launch.cuh"

namespace chiasm {

// A form for kernels of width kWidth, at stride kStride and dilation 1; zero: any.
template <int kLanes, int kWidth, int kStride>
struct DepthwiseSumForm {
  using L = Lanes<kLanes>;
  static constexpr int strip = 4;
  static constexpr int columns = kWidth > 0 ? kWidth : 7;  // of taps that a thread sums at once
  static constexpr int stride = kStride;
  static constexpr bool any = kWidth == 0;
  static constexpr int window = (strip - 1) * kStride + columns;
};

namespace {

constexpr int kMaxTile = 32;    // threads along channels
constexpr int kMaxTapRows = 8;  // threads along rows of taps
constexpr int kSumThreads = 256;
// Blocks of the first stage: several for each multiprocessor of the largest devices.
constexpr std::int64_t kPieceBlocks = 1024;

// Grid: x over tiles of channels, y over pieces. partial is [pieces, taps, channels].
template <class F>
__global__ void depthwise_partial_kernel(const float* __restrict__ x, const float* __restrict__ dy, DepthwiseSizes s,
                                         std::int64_t rows, float* __restrict__ partial) {
  using L = typename F::L;
  const int o = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * L::kCount;
  if (o >= s.channels) return;
  const int c = s.multiplier == 1 ? o : o / s.multiplier;
  const std::int64_t begin = rows * blockIdx.y / gridDim.y, end = rows * (blockIdx.y + 1) / gridDim.y;
  float* to = partial + static_cast<std::int64_t>(blockIdx.y) * s.kernel_h * s.kernel_w * s.channels + o;
  for (int a = static_cast<int>(threadIdx.y); a < s.kernel_h; a += static_cast<int>(blockDim.y)) {
    for (int b0 = 0; b0 < s.kernel_w; b0 += F::columns) {
      L sum[F::columns];
#pragma unroll
      for (int b = 0; b < F::columns; ++b) sum[b] = L::zero();
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t n = row / s.out_h;
        const int in_row = static_cast<int>(row - n * s.out_h) * s.stride_h - s.top + a * s.dilation_h;
        if (in_row < 0 || in_row >= s.in_h) continue;
        const float* from = x + (n * s.in_h + in_row) * s.in_w * s.in_channels + c;
        const float* errors = dy + row * s.out_w * s.channels + o;
        const auto pixel_at = [&](int column) {
          return column >= 0 && column < s.in_w ? L::load(from + static_cast<std::int64_t>(column) * s.in_channels)
                                                : L::zero();
        };
        for (int j0 = 0; j0 < s.out_w; j0 += F::strip) {
          L error[F::strip];
#pragma unroll
          for (int p = 0; p < F::strip; ++p) {
            error[p] = j0 + p < s.out_w ? L::load(errors + static_cast<std::int64_t>(j0 + p) * s.channels) : L::zero();
          }
          if constexpr (!F::any) {
            L window[F::window];
            const int first = j0 * F::stride - s.left;
#pragma unroll
            for (int k = 0; k < F::window; ++k) window[k] = pixel_at(first + k);
#pragma unroll
            for (int b = 0; b < F::columns; ++b) {
#pragma unroll
              for (int p = 0; p < F::strip; ++p) sum[b].add_product(window[p * F::stride + b], error[p]);
            }
          } else {
#pragma unroll
            for (int b = 0; b < F::columns; ++b) {
              if (b0 + b >= s.kernel_w) break;
#pragma unroll
              for (int p = 0; p < F::strip; ++p) {
                sum[b].add_product(pixel_at((j0 + p) * s.stride_w - s.left + (b0 + b) * s.dilation_w), error[p]);
              }
            }
          }
        }
      }
#pragma unroll
      for (int b = 0; b < F::columns; ++b) {
        if (b0 + b < s.kernel_w) sum[b].store(to + static_cast<std::int64_t>(a * s.kernel_w + b0 + b) * s.channels);
      }
    }
  }
}

__global__ void depthwise_sum_pieces_kernel(const float* partial, std::int64_t count, int pieces, float* dw) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kSumThreads + threadIdx.x;
  if (index >= count) return;
  float sum = partial[index];
  for (int piece = 1; piece < pieces; ++piece) sum += partial[piece * count + index];
  dw[index] = sum;
}

// The same for both widths of lanes, so that the sums are.
int pieces_of(const ConvGeometry& g) {
  const std::int64_t tiles = (g.out_channels + kMaxTile - 1) / kMaxTile;
  return static_cast<int>(
      std::clamp<std::int64_t>(kPieceBlocks / tiles, 1, std::max<std::int64_t>(g.batch * g.window.out.h, 1)));
}

template <class F>
void run_partial(const CudaStream& stream, const ConvGeometry& g, const float* x, const float* dy, float* partial) {
  const DepthwiseSizes s = depthwise_sizes(g);
  const int lanes = s.channels / F::L::kCount;
  int tile = 1;
  while (tile < kMaxTile && tile < lanes) tile *= 2;
  const dim3 grid(blocks_for(lanes, tile), static_cast<unsigned>(pieces_of(g)));
  const dim3 block(static_cast<unsigned>(tile), static_cast<unsigned>(std::min(s.kernel_h, kMaxTapRows)));
  CHIASM_LAUNCH(stream, depthwise_partial_kernel<F>, grid, block, 0, x, dy, s, g.batch * g.window.out.h, partial);
}

template <int kLanes>
void choose_form(const CudaStream& stream, const ConvGeometry& g, const float* x, const float* dy, float* partial) {
  const auto run = [&]<int kWidth, int kStride>() {
    run_partial<DepthwiseSumForm<kLanes, kWidth, kStride>>(stream, g, x, dy, partial);
  };
  const Window2d& w = g.window;
  if (w.dilation.w == 1 && w.stride.w == 1) {
    if (w.kernel.w == 3) return run.template operator()<3, 1>();
    if (w.kernel.w == 5) return run.template operator()<5, 1>();
    if (w.kernel.w == 7) return run.template operator()<7, 1>();
  }
  if (w.dilation.w == 1 && w.stride.w == 2) {
    if (w.kernel.w == 3) return run.template operator()<3, 2>();
    if (w.kernel.w == 7) return run.template operator()<7, 2>();
  }
  run.template operator()<0, 1>();
}

}  // namespace

std::int64_t depthwise_weight_gradient_workspace_bytes(const ConvGeometry& g) {
  return pieces_of(g) * g.w_elements() * static_cast<std::int64_t>(sizeof(float));
}

void depthwise_weight_gradient(const CudaStream& stream, const ConvGeometry& g, const float* x, const float* dy,
                               float* dw, std::byte* workspace) {
  float* partial = reinterpret_cast<float*>(workspace);
  if (g.group_out() == 1 && g.out_channels % 4 == 0 && is_aligned16(x) && is_aligned16(dy)) {
    choose_form<4>(stream, g, x, dy, partial);
  } else {
    choose_form<1>(stream, g, x, dy, partial);
  }
  const std::int64_t count = g.w_elements();
  CHIASM_LAUNCH(stream, depthwise_sum_pieces_kernel, blocks_for(count, kSumThreads), kSumThreads, 0, partial, count,
                pieces_of(g), dw);
}

}  // namespace chiasm
