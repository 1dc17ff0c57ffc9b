// SPDX-License-Identifier: Apache-2.0
// Mapping: a block takes a tile of pixels and up to 512 channels of each into shared memory, with the neighbours on
// both sides; a thread computes four neighbouring channels, adding up their overlapping windows from 16-byte reads of
// shared memory. Backward keeps a second tile, of the terms that are summed over windows again. Memory traffic: forward
// reads x and writes y; backward reads x and dy and writes dx, each once, plus the neighbours of tiles where there are
// more than 512 channels. The longest serial sum is a window.
#include <algorithm>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/normalization/local_response_norm.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kTileChannels = 512;
constexpr int kTileElements = 2048;    // that a block computes, at most
constexpr int kSharedElements = 8192;  // of both tiles of backward: 32 KiB

struct Normalization {
  int radius;
  float bias;
  float alpha;
  float beta;
  bool three_quarters;

  __device__ float base(float sum) const { return bias + alpha * sum; }
  // base^-beta. 3/4, the exponent in use, needs only square roots.
  __device__ float negative_power(float base) const {
    if (!three_quarters) return powf(base, -beta);
    const float root = sqrtf(base);
    return 1.0f / (root * sqrtf(root));
  }
};

// Sizes are of one pixel, in floats. Tiles have a margin on both sides: the radius rounded up to a multiple of four.
struct Tiles {
  Tiles(std::int64_t pixels, std::int64_t channels, int radius)
      : pixels(pixels), channels(channels), margin((radius + 3) / 4 * 4) {
    width = static_cast<int>(std::min<std::int64_t>((channels + 3) / 4 * 4, kTileChannels));
    channel_blocks = (channels + width - 1) / width;
    block_pixels = std::max(1, std::min(kTileElements / width, kSharedElements / (2 * width + 6 * margin)));
  }
  unsigned grid() const { return blocks_for((pixels + block_pixels - 1) / block_pixels * channel_blocks, 1); }

  std::int64_t pixels;
  std::int64_t channels;
  std::int64_t channel_blocks;
  int block_pixels;
  int width;
  int margin;
};

// Four channels of a row, zero where it ends.
__device__ Float4 load_channels(const float* row, std::int64_t channel, std::int64_t channels, bool aligned) {
  if (channel < 0 || channel >= channels) return Float4{};  // channel is a multiple of four
  return load_pack<4>(row + channel, channels - channel, aligned);
}

// The sums of the windows of four neighbouring elements; `at` is the first of them, inside a tile that reaches
// `margin` further on both sides.
__device__ Float4 window_sums(const float* at, int radius, int margin) {
  Float4 sum = {};
  for (int first = -margin; first <= margin; first += 4) {
    const Float4 value = *reinterpret_cast<const Float4*>(at + first);
#pragma unroll
    for (int v = 0; v < 4; ++v) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int distance = first + v - e;
        if (distance >= -radius && distance <= radius) sum.value[e] += value.value[v];
      }
    }
  }
  return sum;
}

__device__ Float4 squares(Float4 x) {
  for (float& value : x.value) value *= value;
  return x;
}

__global__ void __launch_bounds__(kThreads)
    local_response_norm_kernel(Normalization norm, Tiles tiles, bool aligned, const float* x, float* y) {
  CHIASM_DYNAMIC_SHARED(float, square);
  const std::int64_t channel = blockIdx.x % tiles.channel_blocks * tiles.width;
  const std::int64_t pixel = blockIdx.x / tiles.channel_blocks * tiles.block_pixels;
  const int pixels = static_cast<int>(min(tiles.pixels - pixel, static_cast<std::int64_t>(tiles.block_pixels)));
  const int stride = tiles.width + 2 * tiles.margin;
  for (int quad = static_cast<int>(threadIdx.x); quad < pixels * (stride / 4); quad += kThreads) {
    const int p = quad / (stride / 4), c = quad % (stride / 4) * 4;
    const Float4 value =
        load_channels(x + (pixel + p) * tiles.channels, channel + c - tiles.margin, tiles.channels, aligned);
    *reinterpret_cast<Float4*>(square + p * stride + c) = squares(value);
  }
  __syncthreads();
  for (int quad = static_cast<int>(threadIdx.x); quad < pixels * (tiles.width / 4); quad += kThreads) {
    const int p = quad / (tiles.width / 4), c = quad % (tiles.width / 4) * 4;
    const std::int64_t row = (pixel + p) * tiles.channels, left = tiles.channels - (channel + c);
    if (left <= 0) continue;
    const Float4 sum = window_sums(square + p * stride + tiles.margin + c, norm.radius, tiles.margin);
    Float4 value = load_pack<4>(x + row + channel + c, left, aligned);
#pragma unroll
    for (int e = 0; e < 4; ++e) value.value[e] *= norm.negative_power(norm.base(sum.value[e]));
    store_pack(y + row + channel + c, value, left, aligned);
  }
}

// dx_c = dy_c b_c^-beta - 2 alpha beta x_c * sum of dy_j x_j b_j^(-beta - 1) over |j - c| <= radius, b the base of the
// power. The sum's terms reach a radius beyond the tile, and their windows another one.
__global__ void __launch_bounds__(kThreads)
    local_response_norm_gradient_kernel(Normalization norm, Tiles tiles, bool aligned, const float* x, const float* dy,
                                        float* dx) {
  CHIASM_DYNAMIC_SHARED(float, shared);
  const std::int64_t channel = blockIdx.x % tiles.channel_blocks * tiles.width;
  const std::int64_t pixel = blockIdx.x / tiles.channel_blocks * tiles.block_pixels;
  const int pixels = static_cast<int>(min(tiles.pixels - pixel, static_cast<std::int64_t>(tiles.block_pixels)));
  const int term_stride = tiles.width + 2 * tiles.margin, stride = term_stride + 2 * tiles.margin;
  float *square = shared, *term = shared + tiles.block_pixels * stride;
  for (int quad = static_cast<int>(threadIdx.x); quad < pixels * (stride / 4); quad += kThreads) {
    const int p = quad / (stride / 4), c = quad % (stride / 4) * 4;
    const Float4 value =
        load_channels(x + (pixel + p) * tiles.channels, channel + c - 2 * tiles.margin, tiles.channels, aligned);
    *reinterpret_cast<Float4*>(square + p * stride + c) = squares(value);
  }
  __syncthreads();
  for (int quad = static_cast<int>(threadIdx.x); quad < pixels * (term_stride / 4); quad += kThreads) {
    const int p = quad / (term_stride / 4), c = quad % (term_stride / 4) * 4;
    const std::int64_t row = (pixel + p) * tiles.channels, at = channel + c - tiles.margin;
    Float4 value = load_channels(x + row, at, tiles.channels, aligned);
    const Float4 gradient = load_channels(dy + row, at, tiles.channels, aligned);
    const Float4 sum = window_sums(square + p * stride + tiles.margin + c, norm.radius, tiles.margin);
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const float base = norm.base(sum.value[e]);
      value.value[e] *= gradient.value[e] * norm.negative_power(base) / base;
      if (at + e < 0 || at + e >= tiles.channels) value.value[e] = 0.0f;  // a base of zero beyond the ends is no matter
    }
    *reinterpret_cast<Float4*>(term + p * term_stride + c) = value;
  }
  __syncthreads();
  const float factor = 2.0f * norm.alpha * norm.beta;
  for (int quad = static_cast<int>(threadIdx.x); quad < pixels * (tiles.width / 4); quad += kThreads) {
    const int p = quad / (tiles.width / 4), c = quad % (tiles.width / 4) * 4;
    const std::int64_t at = (pixel + p) * tiles.channels + channel + c, left = tiles.channels - (channel + c);
    if (left <= 0) continue;
    const Float4 sum = window_sums(square + p * stride + 2 * tiles.margin + c, norm.radius, tiles.margin);
    const Float4 gathered = window_sums(term + p * term_stride + tiles.margin + c, norm.radius, tiles.margin);
    Float4 value = load_pack<4>(x + at, left, aligned);
    const Float4 gradient = load_pack<4>(dy + at, left, aligned);
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const float power = norm.negative_power(norm.base(sum.value[e]));
      value.value[e] = gradient.value[e] * power - factor * value.value[e] * gathered.value[e];
    }
    store_pack(dx + at, value, left, aligned);
  }
}

// A radius beyond all channels is as good as one that reaches them all.
Normalization normalization(const LocalResponseNorm& op, std::int64_t channels) {
  return {static_cast<int>(std::min<std::int64_t>(op.radius, channels - 1)), static_cast<float>(op.bias),
          static_cast<float>(op.alpha), static_cast<float>(op.beta), op.beta == 0.75};
}

}  // namespace

void LocalResponseNorm::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  if (in[0].elements() == 0) return;
  const std::int64_t channels = in[0].shape().at(-1);
  const Normalization norm = normalization(*this, channels);
  const Tiles tiles(in[0].elements() / channels, channels, norm.radius);
  const float* x = in[0].as<float>();
  float* y = out[0].as<float>();
  const bool aligned = channels % 4 == 0 && is_aligned16(x) && is_aligned16(y);
  const std::size_t shared = sizeof(float) * tiles.block_pixels * (tiles.width + 2 * tiles.margin);
  CHIASM_LAUNCH(stream, local_response_norm_kernel, tiles.grid(), kThreads, shared, norm, tiles, aligned, x, y);
}

void LocalResponseNorm::backward(CudaStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, in, Outputs(&dx, 1));
  if (dx.elements() == 0) return;
  const std::int64_t channels = dx.shape().at(-1);
  const Normalization norm = normalization(*this, channels);
  const Tiles tiles(dx.elements() / channels, channels, norm.radius);
  const float* x = in[0].as<float>();
  const bool aligned =
      channels % 4 == 0 && is_aligned16(x) && is_aligned16(dy.as<float>()) && is_aligned16(dx.as<float>());
  const std::size_t shared = sizeof(float) * tiles.block_pixels * (2 * tiles.width + 6 * tiles.margin);
  CHIASM_LAUNCH(stream, local_response_norm_gradient_kernel, tiles.grid(), kThreads, shared, norm, tiles, aligned, x,
                dy.as<float>(), dx.as<float>());
}

}  // namespace chiasm
