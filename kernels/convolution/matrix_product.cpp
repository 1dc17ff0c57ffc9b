// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/matrix_product.h"

#include <algorithm>
#include <cstring>

#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

// Patches of as many images as fit here are gathered at once: about what a core's share of the last cache holds.
constexpr std::int64_t kPatchBytes = 8 << 20;
// Rows of patches that are worth handing to a thread.
constexpr std::int64_t kGrain = 32;

bool pointwise(const ConvGeometry& g) {
  const Window2d& w = g.window;
  return w.kernel == Size2d{} && w.stride == Size2d{} && w.out == w.in && w.top == 0 && w.left == 0;
}

std::int64_t patch_length(const ConvGeometry& g) { return g.taps() * g.group_in(); }

std::int64_t images_at_once(const ConvGeometry& g) {
  if (pointwise(g)) return g.batch;
  const std::int64_t image_bytes = g.out_pixels() * patch_length(g) * static_cast<std::int64_t>(sizeof(float));
  return std::clamp<std::int64_t>(kPatchBytes / image_bytes, 1, std::max<std::int64_t>(g.batch, 1));
}

// x is the first of `images` images; patches [images * windows, taps * group_in].
void gather_patches(const CpuStream& stream, const ConvGeometry& g, std::int64_t images, std::int64_t group,
                    const float* x, float* patches) {
  const Window2d& w = g.window;
  const std::int64_t channels = g.group_in();
  const std::size_t bytes = static_cast<std::size_t>(channels) * sizeof(float);
  stream.parallel_for(images * g.out_pixels(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t window = begin; window < end; ++window) {
      const std::int64_t n = window / g.out_pixels();
      const std::int64_t i = window % g.out_pixels() / w.out.w, j = window % w.out.w;
      float* to = patches + window * patch_length(g);
      for (std::int64_t a = 0; a < w.kernel.h; ++a) {
        const std::int64_t row = i * w.stride.h - w.top + a * w.dilation.h;
        for (std::int64_t b = 0; b < w.kernel.w; ++b, to += channels) {
          const std::int64_t column = j * w.stride.w - w.left + b * w.dilation.w;
          if (row < 0 || row >= w.in.h || column < 0 || column >= w.in.w) {
            std::memset(to, 0, bytes);
          } else {
            std::memcpy(to, x + ((n * w.in.h + row) * w.in.w + column) * g.in_channels + group * channels, bytes);
          }
        }
      }
    }
  });
}

// The transpose of gather_patches: each element of dx sums what the patches hold of it, in the order of the taps.
void sum_patches(const CpuStream& stream, const ConvGeometry& g, std::int64_t images, std::int64_t group,
                 const float* patches, float* dx) {
  const Window2d& w = g.window;
  const std::int64_t channels = g.group_in();
  stream.parallel_for(images * w.in.h * w.in.w, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pixel = begin; pixel < end; ++pixel) {
      const std::int64_t n = pixel / (w.in.h * w.in.w);
      const std::int64_t row = pixel / w.in.w % w.in.h, column = pixel % w.in.w;
      float* to = dx + pixel * g.in_channels + group * channels;
      std::fill_n(to, channels, 0.0f);
      for (std::int64_t a = 0; a < w.kernel.h; ++a) {
        const std::int64_t i = window_of(row, a, w.top, w.stride.h, w.dilation.h, w.out.h);
        if (i < 0) continue;
        for (std::int64_t b = 0; b < w.kernel.w; ++b) {
          const std::int64_t j = window_of(column, b, w.left, w.stride.w, w.dilation.w, w.out.w);
          if (j < 0) continue;
          const float* from =
              patches + ((n * w.out.h + i) * w.out.w + j) * patch_length(g) + (a * w.kernel.w + b) * channels;
          for (std::int64_t c = 0; c < channels; ++c) to[c] += from[c];
        }
      }
    }
  });
}

}  // namespace

std::int64_t matrix_product_workspace_bytes(const ConvGeometry& g) {
  if (pointwise(g)) return 0;
  return images_at_once(g) * g.out_pixels() * patch_length(g) * static_cast<std::int64_t>(sizeof(float));
}

void matrix_product_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& g, const float* a,
                                const float* b, float* result, std::byte* workspace) {
  const std::int64_t k = patch_length(g), co = g.group_out();
  const std::int64_t x_image = g.window.in.h * g.window.in.w * g.in_channels;
  const std::int64_t y_image = g.out_pixels() * g.out_channels;
  const std::int64_t step = images_at_once(g);
  float* gathered = reinterpret_cast<float*>(workspace);
  for (std::int64_t n = 0; n < g.batch; n += step) {
    const std::int64_t images = std::min(step, g.batch - n);
    const std::int64_t rows = images * g.out_pixels();
    for (std::int64_t group = 0; group < g.groups; ++group) {
      // The patches of this group: gathered, or where they lie already.
      const auto patches = [&](const float* x) -> Factor<float> {
        if (pointwise(g)) return {x + n * x_image + group * k, g.in_channels};
        gather_patches(stream, g, images, group, x + n * x_image, gathered);
        return {gathered, k};
      };
      const std::int64_t y_offset = n * y_image + group * co;
      switch (pass) {
        case ConvPass::kForward:  // [rows, k] x [k, co]
          gemm(stream, rows, co, k, patches(a), {b + group * co, g.out_channels}, 0.0f, result + y_offset,
                g.out_channels);
          break;
        case ConvPass::kInputGradient: {  // [rows, co] x [k, co]^T
          float* target = pointwise(g) ? result + n * x_image + group * k : gathered;
          gemm(stream, rows, k, co, {a + y_offset, g.out_channels}, {b + group * co, g.out_channels, true}, 0.0f,
                target, pointwise(g) ? g.in_channels : k);
          if (!pointwise(g)) sum_patches(stream, g, images, group, gathered, result + n * x_image);
          break;
        }
        case ConvPass::kWeightGradient: {  // [rows, k]^T x [rows, co]
          Factor<float> transposed = patches(a);
          transposed.transposed = true;
          gemm(stream, k, co, rows, transposed, {b + y_offset, g.out_channels}, n == 0 ? 0.0f : 1.0f,
                result + group * co, g.out_channels);
          break;
        }
      }
    }
  }
}

}  // namespace chiasm
