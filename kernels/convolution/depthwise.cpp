// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/depthwise.h"

#include <algorithm>
#include <utility>

#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kLanes = 8;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

constexpr int kColumns = 8;  // output columns (or kernel columns) whose sums are held in registers at once
// A strip's plane should leave room in a 32 KiB first cache for weights and results, but strips of fewer output rows
// than this pack the rows they share too often.
constexpr std::int64_t kPlaneBytes = 20 << 10;
constexpr std::int64_t kMinStripRows = 8;
// Partial weight gradients: channel blocks times batch pieces should reach this many tasks.
constexpr std::int64_t kTasks = 32;

// A vector anywhere in memory, by reference: passing vectors by value would depend on the instruction set.
typedef float LanesInMemory __attribute__((vector_size(kLanes * sizeof(float)), aligned(alignof(float)), may_alias));

inline CHIASM_INLINE_LAMBDA const LanesInMemory& lanes_at(const float* p) {
  return *reinterpret_cast<const LanesInMemory*>(p);
}
inline CHIASM_INLINE_LAMBDA LanesInMemory& lanes_at(float* p) { return *reinterpret_cast<LanesInMemory*>(p); }

// An image spread out and padded, so that window (i, j), tap (a, b) is row i * stride + a * dilation of it, columns
// alike. Position p along an axis holds element (p - before) / spread of the source where that divides and exists, else
// zero. The spread is 1 but for gradients of strided convolutions.
struct Plane {
  Size2d source;  // rows and columns of the tensor
  std::int64_t channels = 0;
  Size2d spread;
  std::int64_t top = 0, left = 0;
  Size2d taps, stride, dilation;
  Size2d out;  // windows

  std::int64_t columns() const { return (out.w - 1) * stride.w + (taps.w - 1) * dilation.w + 1; }
  std::int64_t rows(std::int64_t windows) const { return (windows - 1) * stride.h + (taps.h - 1) * dilation.h + 1; }
  std::int64_t strip() const {
    const std::int64_t row_bytes = columns() * kLanes * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t rows_that_fit = kPlaneBytes / row_bytes;
    const std::int64_t fit = (rows_that_fit - (taps.h - 1) * dilation.h - 1) / stride.h + 1;
    return std::min(out.h, std::max(fit, kMinStripRows));
  }
};

Plane forward_plane(const ConvGeometry& g) {
  const Window2d& w = g.window;
  return {w.in, g.in_channels, {1, 1}, w.top, w.left, w.kernel, w.stride, w.dilation, w.out};
}

// dx is the correlation of dy, spread by the stride, with the kernel turned by half a turn.
Plane gradient_plane(const ConvGeometry& g) {
  const Window2d& w = g.window;
  return {w.out,
          g.in_channels,
          w.stride,
          (w.kernel.h - 1) * w.dilation.h - w.top,
          (w.kernel.w - 1) * w.dilation.w - w.left,
          w.kernel,
          {1, 1},
          w.dilation,
          w.in};
}

// Copies `lanes` channels of a pixel; the rest of the vector is zero.
inline CHIASM_INLINE_LAMBDA void pack_pixel(const float* from, std::int64_t lanes, float* to) {
  if (lanes == kLanes) {
    lanes_at(to) = lanes_at(from);
    return;
  }
  for (std::int64_t c = 0; c < kLanes; ++c) to[c] = c < lanes ? from[c] : 0.0f;
}

inline CHIASM_INLINE_LAMBDA void unpack_pixel(const Lanes& from, std::int64_t lanes, float* to) {
  if (lanes == kLanes) {
    lanes_at(to) = from;
    return;
  }
  for (std::int64_t c = 0; c < lanes; ++c) to[c] = from[c];
}

// Packs `count` rows of the plane from row `first`. Row r of the plane is all zero, and not written, unless live[r].
inline CHIASM_INLINE_LAMBDA void pack_rows(const Plane& plane, const float* image, std::int64_t lanes,
                                           std::int64_t first, std::int64_t count, float* packed, bool* live) {
  const std::int64_t columns = plane.columns();
  for (std::int64_t r = 0; r < count; ++r) {
    const std::int64_t position = first + r - plane.top;
    const std::int64_t row = position / plane.spread.h;
    live[r] = position >= 0 && position % plane.spread.h == 0 && row < plane.source.h;
    if (!live[r]) continue;
    float* to = packed + r * columns * kLanes;
    const float* from = image + row * plane.source.w * plane.channels;
    if (plane.spread.w == 1) {
      const std::int64_t begin = std::clamp<std::int64_t>(plane.left, 0, columns);
      const std::int64_t end = std::clamp<std::int64_t>(plane.source.w + plane.left, begin, columns);
      std::fill(to, to + begin * kLanes, 0.0f);
      for (std::int64_t c = begin; c < end; ++c) {
        pack_pixel(from + (c - plane.left) * plane.channels, lanes, to + c * kLanes);
      }
      std::fill(to + end * kLanes, to + columns * kLanes, 0.0f);
      continue;
    }
    std::fill(to, to + columns * kLanes, 0.0f);
    for (std::int64_t s = 0; s < plane.source.w; ++s) {
      const std::int64_t c = s * plane.spread.w + plane.left;
      if (c >= 0 && c < columns) pack_pixel(from + s * plane.channels, lanes, to + c * kLanes);
    }
  }
}

// Calls body.template operator()<N>(first) for blocks of N = kColumns, then one smaller block, that cover [0, count).
template <class Body>
inline CHIASM_INLINE_LAMBDA void in_blocks(std::int64_t count, Body&& body) {
  std::int64_t first = 0;
  for (; first + kColumns <= count; first += kColumns) body.template operator()<kColumns>(first);
  static_assert(kColumns == 8);
  switch (count - first) {
    case 1:
      return body.template operator()<1>(first);
    case 2:
      return body.template operator()<2>(first);
    case 3:
      return body.template operator()<3>(first);
    case 4:
      return body.template operator()<4>(first);
    case 5:
      return body.template operator()<5>(first);
    case 6:
      return body.template operator()<6>(first);
    case 7:
      return body.template operator()<7>(first);
    default:
      return;
  }
}

// Scratch of one task.
struct Scratch {
  float* plane;    // strip of the packed source
  float* weights;  // [taps][kLanes]: packed kernel, or sums of the weight gradient
  float* dy;       // strip of packed dy, weight gradient only
  bool* live;
};

std::int64_t aligned(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct ScratchSizes {
  std::int64_t plane, weights, dy, live;
  std::int64_t total() const { return plane + weights + dy + live; }
};

ScratchSizes scratch_sizes(const Plane& plane, bool weight_gradient) {
  constexpr std::int64_t kPixel = kLanes * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t rows = plane.rows(plane.strip());
  return {aligned(rows * plane.columns() * kPixel), aligned(plane.taps.h * plane.taps.w * kPixel),
          weight_gradient ? aligned(plane.strip() * plane.out.w * kPixel) : 0, aligned(rows)};
}

Scratch scratch_at(std::byte* memory, const ScratchSizes& sizes) {
  std::byte* weights = memory + sizes.plane;
  std::byte* dy = weights + sizes.weights;
  return {reinterpret_cast<float*>(memory), reinterpret_cast<float*>(weights), reinterpret_cast<float*>(dy),
          reinterpret_cast<bool*>(dy + sizes.dy)};
}

// result[i, j] = sum over taps of plane[i * stride + a * dilation, ...] * weights[a, b], for one image and channel
// block.
inline CHIASM_INLINE_LAMBDA void correlate(const Plane& plane, const float* image, std::int64_t lanes,
                                           const Scratch& scratch, float* result) {
  const std::int64_t columns = plane.columns(), strip = plane.strip();
  for (std::int64_t i0 = 0; i0 < plane.out.h; i0 += strip) {
    const std::int64_t rows = std::min(strip, plane.out.h - i0);
    pack_rows(plane, image, lanes, i0 * plane.stride.h, plane.rows(rows), scratch.plane, scratch.live);
    for (std::int64_t i = 0; i < rows; ++i) {
      float* out = result + (i0 + i) * plane.out.w * plane.channels;
      in_blocks(plane.out.w, [&]<int N>(std::int64_t j0) CHIASM_INLINE_LAMBDA {
        Lanes sum[N] = {};
        const std::int64_t step = plane.stride.w * kLanes;
        for (std::int64_t a = 0; a < plane.taps.h; ++a) {
          const std::int64_t row = i * plane.stride.h + a * plane.dilation.h;
          if (!scratch.live[row]) continue;
          const float* x = scratch.plane + (row * columns + j0 * plane.stride.w) * kLanes;
          const float* w = scratch.weights + a * plane.taps.w * kLanes;
          for (std::int64_t b = 0; b < plane.taps.w; ++b) {
            const Lanes weight = lanes_at(w);
#pragma GCC unroll 8
            for (int j = 0; j < N; ++j) sum[j] += lanes_at(x + j * step) * weight;
            x += plane.dilation.w * kLanes;
            w += kLanes;
          }
        }
#pragma GCC unroll 8
        for (int j = 0; j < N; ++j) unpack_pixel(sum[j], lanes, out + (j0 + j) * plane.channels);
      });
    }
  }
}

// Adds to scratch.weights[a, b] the sum over (i, j) of plane[i * stride + a * dilation, ...] * dy[i, j], for one image
// and channel block.
inline CHIASM_INLINE_LAMBDA void add_weight_gradient(const Plane& plane, const float* image, const float* dy,
                                                     std::int64_t lanes, const Scratch& scratch) {
  const std::int64_t columns = plane.columns(), strip = plane.strip();
  const std::int64_t x_step = plane.stride.w * kLanes, b_step = plane.dilation.w * kLanes;
  for (std::int64_t i0 = 0; i0 < plane.out.h; i0 += strip) {
    const std::int64_t rows = std::min(strip, plane.out.h - i0);
    pack_rows(plane, image, lanes, i0 * plane.stride.h, plane.rows(rows), scratch.plane, scratch.live);
    for (std::int64_t p = 0; p < rows * plane.out.w; ++p) {
      pack_pixel(dy + (i0 * plane.out.w + p) * plane.channels, lanes, scratch.dy + p * kLanes);
    }
    for (std::int64_t a = 0; a < plane.taps.h; ++a) {
      in_blocks(plane.taps.w, [&]<int N>(std::int64_t b0) CHIASM_INLINE_LAMBDA {
        float* sums = scratch.weights + (a * plane.taps.w + b0) * kLanes;
        Lanes sum[N];
#pragma GCC unroll 8
        for (int b = 0; b < N; ++b) sum[b] = lanes_at(sums + b * kLanes);
        for (std::int64_t i = 0; i < rows; ++i) {
          const std::int64_t row = i * plane.stride.h + a * plane.dilation.h;
          if (!scratch.live[row]) continue;
          const float* x = scratch.plane + row * columns * kLanes + b0 * b_step;
          const float* d = scratch.dy + i * plane.out.w * kLanes;
          for (std::int64_t j = 0; j < plane.out.w; ++j) {
            const Lanes error = lanes_at(d);
#pragma GCC unroll 8
            for (int b = 0; b < N; ++b) sum[b] += lanes_at(x + b * b_step) * error;
            x += x_step;
            d += kLanes;
          }
        }
#pragma GCC unroll 8
        for (int b = 0; b < N; ++b) lanes_at(sums + b * kLanes) = sum[b];
      });
    }
  }
}

std::int64_t blocks_of(std::int64_t channels) { return (channels + kLanes - 1) / kLanes; }

// Pieces of the batch with a partial weight gradient each. They depend on the sizes alone.
std::int64_t batch_pieces(const ConvGeometry& g) {
  const std::int64_t blocks = blocks_of(g.in_channels);
  return std::clamp<std::int64_t>((kTasks + blocks - 1) / blocks, 1, std::max<std::int64_t>(g.batch, 1));
}

void run_weight_gradient(const CpuStream& stream, const ConvGeometry& g, const float* x, const float* dy, float* dw,
                         std::byte* workspace) {
  const Plane plane = forward_plane(g);
  const ScratchSizes sizes = scratch_sizes(plane, true);
  const std::int64_t channels = g.in_channels, taps = g.taps(), pieces = batch_pieces(g);
  const std::int64_t tasks = blocks_of(channels) * pieces, threads = std::min<std::int64_t>(stream.threads(), tasks);
  float* partial = reinterpret_cast<float*>(workspace + threads * sizes.total());
  stream.parallel_tasks(threads, [&](std::int64_t thread) {
    const Scratch scratch = scratch_at(workspace + thread * sizes.total(), sizes);
    for (std::int64_t task = tasks * thread / threads; task < tasks * (thread + 1) / threads; ++task) {
      const std::int64_t piece = task % pieces, c = task / pieces * kLanes;
      const std::int64_t lanes = std::min(kLanes, channels - c);
      std::fill_n(scratch.weights, taps * kLanes, 0.0f);
      for (std::int64_t n = g.batch * piece / pieces; n < g.batch * (piece + 1) / pieces; ++n) {
        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
          add_weight_gradient(plane, x + n * g.window.in.h * g.window.in.w * channels + c,
                              dy + n * g.out_pixels() * channels + c, lanes, scratch);
        });
      }
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        std::copy_n(scratch.weights + tap * kLanes, lanes, partial + (piece * taps + tap) * channels + c);
      }
    }
  });
  std::copy_n(partial, taps * channels, dw);
  for (std::int64_t piece = 1; piece < pieces; ++piece) {
    const float* add = partial + piece * taps * channels;
    for (std::int64_t i = 0; i < taps * channels; ++i) dw[i] += add[i];
  }
}

void run_correlation(const CpuStream& stream, const Plane& plane, bool turned, std::int64_t batch, const float* x,
                     const float* w, float* y, std::byte* workspace) {
  const ScratchSizes sizes = scratch_sizes(plane, false);
  const std::int64_t channels = plane.channels, taps = plane.taps.h * plane.taps.w;
  const std::int64_t tasks = blocks_of(channels) * batch, threads = std::min<std::int64_t>(stream.threads(), tasks);
  stream.parallel_tasks(threads, [&](std::int64_t thread) {
    const Scratch scratch = scratch_at(workspace + thread * sizes.total(), sizes);
    std::int64_t packed_block = -1;
    for (std::int64_t task = tasks * thread / threads; task < tasks * (thread + 1) / threads; ++task) {
      const std::int64_t n = task % batch, block = task / batch, c = block * kLanes;
      const std::int64_t lanes = std::min(kLanes, channels - c);
      if (block != packed_block) {
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          pack_pixel(w + (turned ? taps - 1 - tap : tap) * channels + c, lanes, scratch.weights + tap * kLanes);
        }
        packed_block = block;
      }
      with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
        correlate(plane, x + n * plane.source.h * plane.source.w * channels + c, lanes, scratch,
                  y + n * plane.out.h * plane.out.w * channels + c);
      });
    }
  });
}

}  // namespace

std::int64_t depthwise_workspace_bytes(const CpuStream& stream, ConvPass pass, const ConvGeometry& g) {
  const Plane plane = pass == ConvPass::kInputGradient ? gradient_plane(g) : forward_plane(g);
  const bool weight = pass == ConvPass::kWeightGradient;
  const std::int64_t tasks = blocks_of(g.in_channels) * (weight ? batch_pieces(g) : g.batch);
  const std::int64_t partial = weight ? batch_pieces(g) * g.w_elements() * static_cast<std::int64_t>(sizeof(float)) : 0;
  return std::min<std::int64_t>(stream.threads(), tasks) * scratch_sizes(plane, weight).total() + partial;
}

void depthwise_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& g, const float* a,
                           const float* b, float* result, std::byte* workspace) {
  switch (pass) {
    case ConvPass::kForward:
      return run_correlation(stream, forward_plane(g), false, g.batch, a, b, result, workspace);
    case ConvPass::kInputGradient:
      return run_correlation(stream, gradient_plane(g), true, g.batch, a, b, result, workspace);
    case ConvPass::kWeightGradient:
      return run_weight_gradient(stream, g, a, b, result, workspace);
  }
}

}  // namespace chiasm
