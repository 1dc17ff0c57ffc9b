// SPDX-License-Identifier: Apache-2.0
// Resize2d on CUDA. A thread makes one pixel of the result for four neighbouring channels (one where their number or
// the addresses do not allow more); neighbouring threads have neighbouring channels, then pixels, so accesses are
// coalesced. Forward reads the four pixels around the source coordinate. Backward gathers: a pixel of dx adds up, row
// by row, the pixels of dy that read it, which are a range of rows and columns, so that sums have one order and no
// atomics. x is read about as often as it is stretched, from the caches; y and dy move once.
#include <algorithm>

#include "kernels/cuda/fast_division.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/indexing/copy.cuh"
#include "kernels/resize/resize2d.h"
#include "kernels/resize/resize_axis.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;

struct Tap {
  std::int64_t low, high;
  float weight;
};

// Output indices [first, last).
struct Range {
  std::int64_t first, last;
};

// ResizeAxis with the divisions made ready. `narrow`, the same for all threads, says that 32 bits hold every numerator
// and float every remainder, as for all images in use.
struct Axis {
  std::int64_t in, out, slope, offset, denominator;
  FastDivision by_denominator, by_slope;
  bool narrow;

  Axis(std::int64_t in_size, std::int64_t out_size, ResizeConvention convention) : in(in_size), out(out_size) {
    const ResizeAxis axis(in, out, convention);
    slope = axis.slope(), offset = axis.offset(), denominator = axis.denominator();
    constexpr std::int64_t kLimit = std::int64_t{1} << 30;
    narrow = denominator < (1 << 24) && (in + 1) * denominator + in + out < kLimit && slope < kLimit &&
             slope * out + in + out < kLimit;
    if (narrow) {
      by_denominator = FastDivision(denominator);
      by_slope = FastDivision(std::max<std::int64_t>(slope, 1));
    }
  }

  __device__ std::int64_t numerator(std::int64_t i) const {
    const std::int64_t n = slope * i + offset;
    return n > 0 ? n : 0;
  }
  // rest / denominator, rounded once.
  __device__ float fraction(std::int64_t rest) const {
    if (narrow) return static_cast<float>(static_cast<std::int32_t>(rest)) / static_cast<float>(denominator);
    return static_cast<float>(static_cast<double>(rest) / static_cast<double>(denominator));
  }

  __device__ Tap tap(std::int64_t i) const {
    const std::int64_t n = numerator(i);
    const std::int64_t low = narrow ? by_denominator.quotient(static_cast<std::uint32_t>(n)) : n / denominator;
    const std::int64_t rest = n - low * denominator;
    return {low, rest == 0 || low + 1 == in ? low : low + 1, fraction(rest)};
  }

  // The outputs i that read input s: those with (s - 1) denominator < slope i + offset < (s + 1) denominator, where
  // coordinates below zero are read as zero.
  __device__ Range readers(std::int64_t s) const {
    if (slope == 0) return {0, s == 0 ? out : 0};
    const std::int64_t first = steps_to((s - 1) * denominator - offset);
    const std::int64_t last = steps_to((s + 1) * denominator - offset - 1);
    return {first, last < out ? last : out};
  }
  // The factor of input s in output i. REQUIRES: i is in readers(s).
  __device__ float share(std::int64_t i, std::int64_t s) const {
    const std::int64_t past = numerator(i) - s * denominator;
    if (past < 0) return fraction(denominator + past);
    return past == 0 || s + 1 == in ? 1.0f : 1.0f - fraction(past);
  }

 private:
  // floor(n / slope) + 1, and 0 for negative n.
  __device__ std::int64_t steps_to(std::int64_t n) const {
    if (n < 0) return 0;
    return (narrow ? by_slope.quotient(static_cast<std::uint32_t>(n)) : n / slope) + 1;
  }
};

// A run of rows of the result, of fewer than 2^30 packs.
template <int kPack>
struct Images {
  static constexpr int kWidth = kPack;
  const float* from;
  float* to;
  Axis rows, columns;
  std::uint32_t packs, first_row;
  FastDivision channels, width, height;  // of the result; channels in packs
};

struct Place {
  std::int64_t image;  // n
  std::uint32_t row, column, channel;
};

template <class Resize>
__device__ Place place_of(const Resize& r, std::uint32_t i) {
  const std::uint32_t pixel = r.channels.quotient(i), row_here = r.width.quotient(pixel);
  const std::uint32_t row = r.first_row + row_here, image = r.height.quotient(row);
  return {image, row - image * r.height.divisor(), pixel - row_here * r.width.divisor(),
          i - pixel * r.channels.divisor()};
}

template <class Resize>
__global__ void __launch_bounds__(kThreads) interpolate(const __grid_constant__ Resize r) {
  constexpr int kPack = Resize::kWidth;
  using Channels = Pack<float, kPack>;
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= r.packs) return;
  const Place at = place_of(r, i);
  const Tap a = r.rows.tap(at.row), b = r.columns.tap(at.column);
  const std::int64_t channels = r.channels.divisor();
  const auto* image = reinterpret_cast<const Channels*>(r.from) + at.image * r.rows.in * r.columns.in * channels;
  const auto pixel = [&](std::int64_t row, std::int64_t column) {
    return image[(row * r.columns.in + column) * channels + at.channel];
  };
  const Channels top_left = pixel(a.low, b.low), top_right = pixel(a.low, b.high);
  const Channels bottom_left = pixel(a.high, b.low), bottom_right = pixel(a.high, b.high);
  const float u = a.weight, v = b.weight;
  Channels y;
  for (int c = 0; c < kPack; ++c) {
    y.value[c] = (1 - u) * ((1 - v) * top_left.value[c] + v * top_right.value[c]) +
                 u * ((1 - v) * bottom_left.value[c] + v * bottom_right.value[c]);
  }
  reinterpret_cast<Channels*>(r.to)[i] = y;
}

template <class Resize>
__global__ void __launch_bounds__(kThreads) gather_interpolated(const __grid_constant__ Resize r) {
  constexpr int kPack = Resize::kWidth;
  using Channels = Pack<float, kPack>;
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= r.packs) return;
  const Place at = place_of(r, i);
  const Range rows = r.rows.readers(at.row), columns = r.columns.readers(at.column);
  const std::int64_t channels = r.channels.divisor();
  const auto* image = reinterpret_cast<const Channels*>(r.from) + at.image * r.rows.out * r.columns.out * channels;
  Channels sum{};
  for (std::int64_t h = rows.first; h < rows.last; ++h) {
    const Channels* line = image + h * r.columns.out * channels + at.channel;
    Channels line_sum{};
    for (std::int64_t w = columns.first; w < columns.last; ++w) {
      const Channels dy = line[w * channels];
      const float share = r.columns.share(w, at.column);
      for (int c = 0; c < kPack; ++c) line_sum.value[c] += share * dy.value[c];
    }
    const float share = r.rows.share(h, at.row);
    for (int c = 0; c < kPack; ++c) sum.value[c] += share * line_sum.value[c];
  }
  reinterpret_cast<Channels*>(r.to)[i] = sum;
}

// Runs a kernel over the pixels of `to`.
template <int kPack, class Launch>
void for_each_run(const Axis& rows, const Axis& columns, const View& from, const MutableView& to, Launch launch) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  const Shape& shape = to.shape();
  const std::int64_t channels = shape[3] / kPack, all_rows = shape[0] * shape[1];
  if (all_rows > kLimit || shape[2] * channels > kLimit) {
    throw_shape(Resize2d::kName, "CUDA resizes at most 2^30 rows of 2^30 elements, found " + to_string(to.spec()));
  }
  const std::int64_t step = kLimit / (shape[2] * channels);
  for (std::int64_t row = 0; row < all_rows; row += step) {
    const std::int64_t packs = std::min(step, all_rows - row) * shape[2] * channels;
    launch(Images<kPack>{from.as<float>(), to.as<float>() + row * shape[2] * shape[3], rows, columns,
                         static_cast<std::uint32_t>(packs), static_cast<std::uint32_t>(row), FastDivision(channels),
                         FastDivision(shape[2]), FastDivision(shape[1])},
           blocks_for(packs, kThreads));
  }
}

bool four_channels(const View& from, const MutableView& to) {
  return to.shape()[3] % 4 == 0 && is_aligned16(from.as<float>()) && is_aligned16(to.as<float>());
}

}  // namespace

void Resize2d::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const View& x = in[0];
  const MutableView& y = out[0];
  if (x.shape() == y.shape()) return copy_elements(stream, x, y);
  if (y.elements() == 0) return;
  const Axis rows(x.shape()[1], out_h, convention), columns(x.shape()[2], out_w, convention);
  const auto launch = [&](const auto& images, unsigned grid) {
    using Resize = std::remove_cvref_t<decltype(images)>;
    CHIASM_LAUNCH(stream, interpolate<Resize>, grid, kThreads, 0, images);
  };
  four_channels(x, y) ? for_each_run<4>(rows, columns, x, y, launch) : for_each_run<1>(rows, columns, x, y, launch);
}

void Resize2d::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, {&dy, 1}, {&dx, 1});
  if (dx.shape() == dy.shape()) return copy_elements(stream, dy, dx);
  if (dx.elements() == 0) return;
  const Axis rows(dx.shape()[1], out_h, convention), columns(dx.shape()[2], out_w, convention);
  const auto launch = [&](const auto& images, unsigned grid) {
    using Resize = std::remove_cvref_t<decltype(images)>;
    CHIASM_LAUNCH(stream, gather_interpolated<Resize>, grid, kThreads, 0, images);
  };
  four_channels(dy, dx) ? for_each_run<4>(rows, columns, dy, dx, launch)
                        : for_each_run<1>(rows, columns, dy, dx, launch);
}

}  // namespace chiasm
