// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/depthwise.h"

#include <algorithm>
#include <utility>

#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kLanes = 8;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
constexpr std::int64_t kPixelBytes = kLanes * static_cast<std::int64_t>(sizeof(float));
// Two vectors are one line of the cache: a task takes both halves of the lines it touches.
constexpr int kHalves = 2;
constexpr std::int64_t kChannels = kHalves * kLanes;

constexpr int kColumns = 8;  // output columns (or kernel columns) whose sums are held in registers at once
// With at most this many columns, both halves are summed at once: fused multiply-adds need about eight independent
// sums.
constexpr int kFewColumns = 4;
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
    const std::int64_t rows_that_fit = kPlaneBytes / (columns() * kPixelBytes);
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

// Channels of one task. The lanes of a half beyond the last channel hold zeros and are never stored.
struct Block {
  std::int64_t first;
  std::int64_t count;
  std::int64_t lanes(int half) const { return std::clamp<std::int64_t>(count - half * kLanes, 0, kLanes); }
};

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

// Copies the channels of `block` of a pixel; the halves lie `half_step` apart.
inline CHIASM_INLINE_LAMBDA void pack_halves(const float* from, const Block& block, float* to, std::int64_t half_step) {
  pack_pixel(from, block.lanes(0), to);
  pack_pixel(from + kLanes, block.lanes(1), to + half_step);
}

struct Rows {
  std::int64_t begin, end;
};

// Of the windows i in [0, count), those whose row i * stride + offset lies in `live`.
Rows windows_on(const Rows& live, std::int64_t offset, std::int64_t stride, std::int64_t count) {
  const auto first_at = [&](std::int64_t row) {
    return std::clamp<std::int64_t>(row <= offset ? 0 : (row - offset + stride - 1) / stride, 0, count);
  };
  return {first_at(live.begin), first_at(live.end)};
}

// Packs `count` rows of the plane from row `first` and returns those that may hold anything but zeros; the others are
// not written.
inline CHIASM_INLINE_LAMBDA Rows pack_rows(const Plane& plane, const float* image, const Block& block,
                                           std::int64_t first, std::int64_t count, float* packed,
                                           std::int64_t half_step) {
  const std::int64_t columns = plane.columns();
  const std::int64_t last = plane.top + (plane.source.h - 1) * plane.spread.h - first;
  const Rows live{std::clamp<std::int64_t>(plane.top - first, 0, count), std::clamp<std::int64_t>(last + 1, 0, count)};
  for (std::int64_t r = live.begin; r < live.end; ++r) {
    float* to = packed + r * columns * kLanes;
    const std::int64_t row = first + r - plane.top;
    const bool between = row % plane.spread.h != 0;
    if (between || plane.spread.w > 1 || plane.columns() != plane.source.w) {
      std::fill(to, to + columns * kLanes, 0.0f);
      std::fill(to + half_step, to + half_step + columns * kLanes, 0.0f);
    }
    if (between) continue;
    const float* from = image + row / plane.spread.h * plane.source.w * plane.channels;
    for (std::int64_t s = 0; s < plane.source.w; ++s) {
      const std::int64_t c = s * plane.spread.w + plane.left;
      if (c >= 0 && c < columns) pack_halves(from + s * plane.channels, block, to + c * kLanes, half_step);
    }
  }
  return live;
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

// Scratch of one thread. Of plane, weights and dy there is one for each half.
struct Scratch {
  float* plane;           // strip of the packed source
  float* weights;         // [taps][kLanes]: packed kernel, or sums of the weight gradient
  float* dy;              // strip of packed dy, weight gradient only
  std::int32_t* offsets;  // where the plane holds tap (a, b) of window (0, 0), or tap (0, 0) of each window of a strip
  std::int64_t plane_step, weights_step, dy_step;  // from the first half to the second
};

std::int64_t aligned(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct ScratchSizes {
  std::int64_t plane, weights, dy, offsets;
  std::int64_t total() const { return kHalves * (plane + weights + dy) + offsets; }
};

ScratchSizes scratch_sizes(const Plane& plane, bool weight_gradient) {
  const std::int64_t taps = plane.taps.h * plane.taps.w, windows = plane.strip() * plane.out.w;
  return {aligned(plane.rows(plane.strip()) * plane.columns() * kPixelBytes), aligned(taps * kPixelBytes),
          weight_gradient ? aligned(windows * kPixelBytes) : 0,
          aligned((weight_gradient ? windows : taps) * static_cast<std::int64_t>(sizeof(std::int32_t)))};
}

// REQUIRES: `memory` is 64-byte aligned. Fills the offsets.
Scratch scratch_at(std::byte* memory, const Plane& plane, bool weight_gradient) {
  const ScratchSizes sizes = scratch_sizes(plane, weight_gradient);
  constexpr std::int64_t kFloat = sizeof(float);
  Scratch scratch{};
  scratch.plane = reinterpret_cast<float*>(memory);
  scratch.weights = scratch.plane + kHalves * sizes.plane / kFloat;
  scratch.dy = scratch.weights + kHalves * sizes.weights / kFloat;
  scratch.offsets = reinterpret_cast<std::int32_t*>(scratch.dy + kHalves * sizes.dy / kFloat);
  scratch.plane_step = sizes.plane / kFloat;
  scratch.weights_step = sizes.weights / kFloat;
  scratch.dy_step = sizes.dy / kFloat;
  const Size2d count = weight_gradient ? Size2d{plane.strip(), plane.out.w} : plane.taps;
  const Size2d step = weight_gradient ? plane.stride : plane.dilation;
  for (std::int64_t a = 0; a < count.h; ++a) {
    for (std::int64_t b = 0; b < count.w; ++b) {
      scratch.offsets[a * count.w + b] =
          static_cast<std::int32_t>((a * step.h * plane.columns() + b * step.w) * kLanes);
    }
  }
  return scratch;
}

// result[i, j] = sum over taps of plane[i * stride + a * dilation, ...] * weights[a, b], for one image and block.
inline CHIASM_INLINE_LAMBDA void correlate(const Plane& plane, const float* image, const Block& block,
                                           const Scratch& scratch, float* result) {
  const std::int64_t columns = plane.columns(), strip = plane.strip(), step = plane.stride.w * kLanes;
  for (std::int64_t i0 = 0; i0 < plane.out.h; i0 += strip) {
    const std::int64_t rows = std::min(strip, plane.out.h - i0);
    const Rows live =
        pack_rows(plane, image, block, i0 * plane.stride.h, plane.rows(rows), scratch.plane, scratch.plane_step);
    for (std::int64_t i = 0; i < rows; ++i) {
      // Taps on rows of padding are left out; the rest are one run.
      const Rows taps = windows_on(live, i * plane.stride.h, plane.dilation.h, plane.taps.h);
      float* out = result + (i0 + i) * plane.out.w * plane.channels;
      in_blocks(plane.out.w, [&]<int N>(std::int64_t j0) CHIASM_INLINE_LAMBDA {
        constexpr int kAtOnce = N <= kFewColumns ? kHalves : 1;
        for (int half = 0; half < kHalves && block.lanes(half) > 0; half += kAtOnce) {
          Lanes sum[kAtOnce * N] = {};
          const float* x =
              scratch.plane + half * scratch.plane_step + (i * plane.stride.h * columns + j0 * plane.stride.w) * kLanes;
          const float* w = scratch.weights + half * scratch.weights_step;
          for (std::int64_t tap = taps.begin * plane.taps.w; tap < taps.end * plane.taps.w; ++tap) {
            const float* at = x + scratch.offsets[tap];
#pragma GCC unroll 2
            for (int h = 0; h < kAtOnce; ++h) {
              const Lanes weight = lanes_at(w + h * scratch.weights_step + tap * kLanes);
#pragma GCC unroll 8
              for (int j = 0; j < N; ++j) sum[h * N + j] += lanes_at(at + h * scratch.plane_step + j * step) * weight;
            }
          }
#pragma GCC unroll 2
          for (int h = 0; h < kAtOnce; ++h) {
#pragma GCC unroll 8
            for (int j = 0; j < N; ++j) {
              unpack_pixel(sum[h * N + j], block.lanes(half + h),
                           out + (j0 + j) * plane.channels + (half + h) * kLanes);
            }
          }
        }
      });
    }
  }
}

// Adds to scratch.weights[a, b] the sum over (i, j) of plane[i * stride + a * dilation, ...] * dy[i, j], for one image
// and block.
inline CHIASM_INLINE_LAMBDA void add_weight_gradient(const Plane& plane, const float* image, const float* dy,
                                                     const Block& block, const Scratch& scratch) {
  const std::int64_t columns = plane.columns(), strip = plane.strip(), b_step = plane.dilation.w * kLanes;
  for (std::int64_t i0 = 0; i0 < plane.out.h; i0 += strip) {
    const std::int64_t rows = std::min(strip, plane.out.h - i0);
    const Rows live =
        pack_rows(plane, image, block, i0 * plane.stride.h, plane.rows(rows), scratch.plane, scratch.plane_step);
    for (std::int64_t p = 0; p < rows * plane.out.w; ++p) {
      pack_halves(dy + (i0 * plane.out.w + p) * plane.channels, block, scratch.dy + p * kLanes, scratch.dy_step);
    }
    for (std::int64_t a = 0; a < plane.taps.h; ++a) {
      // Windows whose row a is padding are left out; the rest are one run.
      const Rows windows = windows_on(live, a * plane.dilation.h, plane.stride.h, rows);
      in_blocks(plane.taps.w, [&]<int N>(std::int64_t b0) CHIASM_INLINE_LAMBDA {
        constexpr int kAtOnce = N <= kFewColumns ? kHalves : 1;
        for (int half = 0; half < kHalves && block.lanes(half) > 0; half += kAtOnce) {
          float* sums = scratch.weights + half * scratch.weights_step + (a * plane.taps.w + b0) * kLanes;
          const float* x =
              scratch.plane + half * scratch.plane_step + a * plane.dilation.h * columns * kLanes + b0 * b_step;
          const float* d = scratch.dy + half * scratch.dy_step;
          Lanes sum[kAtOnce * N] = {};
          for (std::int64_t p = windows.begin * plane.out.w; p < windows.end * plane.out.w; ++p) {
            const float* at = x + scratch.offsets[p];
#pragma GCC unroll 2
            for (int h = 0; h < kAtOnce; ++h) {
              const Lanes error = lanes_at(d + h * scratch.dy_step + p * kLanes);
#pragma GCC unroll 8
              for (int b = 0; b < N; ++b) sum[h * N + b] += lanes_at(at + h * scratch.plane_step + b * b_step) * error;
            }
          }
#pragma GCC unroll 2
          for (int h = 0; h < kAtOnce; ++h) {
#pragma GCC unroll 8
            for (int b = 0; b < N; ++b) lanes_at(sums + h * scratch.weights_step + b * kLanes) += sum[h * N + b];
          }
        }
      });
    }
  }
}

std::int64_t blocks_of(std::int64_t channels) { return (channels + kChannels - 1) / kChannels; }

Block block_at(std::int64_t index, std::int64_t channels) {
  return {index * kChannels, std::min(kChannels, channels - index * kChannels)};
}

// Pieces of the batch with a partial weight gradient each. They depend on the sizes alone.
std::int64_t batch_pieces(const ConvGeometry& g) {
  const std::int64_t blocks = blocks_of(g.in_channels);
  return std::clamp<std::int64_t>((kTasks + blocks - 1) / blocks, 1, std::max<std::int64_t>(g.batch, 1));
}

void run_weight_gradient(const CpuStream& stream, const ConvGeometry& g, const float* x, const float* dy, float* dw,
                         std::byte* workspace) {
  const Plane plane = forward_plane(g);
  const std::int64_t scratch_bytes = scratch_sizes(plane, true).total();
  const std::int64_t channels = g.in_channels, taps = g.taps(), pieces = batch_pieces(g);
  const std::int64_t tasks = blocks_of(channels) * pieces, threads = std::min<std::int64_t>(stream.threads(), tasks);
  float* partial = reinterpret_cast<float*>(workspace + threads * scratch_bytes);
  stream.parallel_tasks(threads, [&](std::int64_t thread) {
    const Scratch scratch = scratch_at(workspace + thread * scratch_bytes, plane, true);
    for (std::int64_t task = tasks * thread / threads; task < tasks * (thread + 1) / threads; ++task) {
      const std::int64_t piece = task % pieces;
      const Block block = block_at(task / pieces, channels);
      std::fill_n(scratch.weights, kHalves * scratch.weights_step, 0.0f);
      for (std::int64_t n = g.batch * piece / pieces; n < g.batch * (piece + 1) / pieces; ++n) {
        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
          add_weight_gradient(plane, x + n * g.window.in.h * g.window.in.w * channels + block.first,
                              dy + n * g.out_pixels() * channels + block.first, block, scratch);
        });
      }
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        float* to = partial + (piece * taps + tap) * channels + block.first;
        for (int half = 0; half < kHalves; ++half) {
          std::copy_n(scratch.weights + half * scratch.weights_step + tap * kLanes, block.lanes(half),
                      to + half * kLanes);
        }
      }
    }
  });
  std::copy_n(partial, taps * channels, dw);
  for (std::int64_t piece = 1; piece < pieces; ++piece) {
    const float* add = partial + piece * taps * channels;
    for (std::int64_t i = 0; i < taps * channels; ++i) dw[i] += add[i];
  }
}

// With `turned`, the kernel is turned by half a turn.
void run_correlation(const CpuStream& stream, const Plane& plane, bool turned, std::int64_t batch, const float* x,
                     const float* w, float* y, std::byte* workspace) {
  const std::int64_t scratch_bytes = scratch_sizes(plane, false).total();
  const std::int64_t channels = plane.channels, taps = plane.taps.h * plane.taps.w;
  const std::int64_t tasks = blocks_of(channels) * batch, threads = std::min<std::int64_t>(stream.threads(), tasks);
  stream.parallel_tasks(threads, [&](std::int64_t thread) {
    const Scratch scratch = scratch_at(workspace + thread * scratch_bytes, plane, false);
    std::int64_t packed_block = -1;
    for (std::int64_t task = tasks * thread / threads; task < tasks * (thread + 1) / threads; ++task) {
      const std::int64_t n = task % batch;
      const Block block = block_at(task / batch, channels);
      if (block.first != packed_block) {
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          pack_halves(w + (turned ? taps - 1 - tap : tap) * channels + block.first, block,
                      scratch.weights + tap * kLanes, scratch.weights_step);
        }
        packed_block = block.first;
      }
      with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
        correlate(plane, x + n * plane.source.h * plane.source.w * channels + block.first, block, scratch,
                  y + n * plane.out.h * plane.out.w * channels + block.first);
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
