// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: gather.cuh; where there is one box, reduce.cuh, which cuts it over blocks.
#include "kernels/pooling/adaptive_average_pool2d.h"
#include "kernels/pooling/gather.cuh"
#include "kernels/reduction/sum_over.h"

namespace chiasm {
namespace {

const AxisMask kImage{0b0110};  // H and W of N, H, W, C

// Box i of `boxes` along an axis of `size` pixels.
__device__ PixelRange box(std::int64_t i, std::int64_t boxes, std::int64_t size) {
  return {i * size / boxes, ((i + 1) * size + boxes - 1) / boxes};
}
// Box i covers pixel p when i size / boxes < p + 1 and (i + 1) size / boxes > p: these are the pixels of box p when
// `boxes` pixels are cut into `size` boxes.
__device__ PixelRange boxes_over(std::int64_t p, std::int64_t boxes, std::int64_t size) { return box(p, size, boxes); }

__device__ float share(PixelRange rows, PixelRange columns) {
  return 1.0f / static_cast<float>((rows.last - rows.first) * (columns.last - columns.first));
}

struct BoxAverage {
  Size2d from, to;
  __device__ PixelRange rows(std::int64_t i) const { return box(i, to.h, from.h); }
  __device__ PixelRange columns(std::int64_t j) const { return box(j, to.w, from.w); }
  __device__ float source_weight(std::int64_t, std::int64_t) const { return 1.0f; }
  __device__ float result_weight(std::int64_t i, std::int64_t j) const { return share(rows(i), columns(j)); }
};

struct BoxAverageGradient {
  Size2d from, to;
  __device__ PixelRange rows(std::int64_t h) const { return boxes_over(h, from.h, to.h); }
  __device__ PixelRange columns(std::int64_t w) const { return boxes_over(w, from.w, to.w); }
  __device__ float source_weight(std::int64_t i, std::int64_t j) const {
    return share(box(i, from.h, to.h), box(j, from.w, to.w));
  }
  __device__ float result_weight(std::int64_t, std::int64_t) const { return 1.0f; }
};

Size2d size_of_image(const Shape& shape) { return {shape[1], shape[2]}; }

}  // namespace

void AdaptiveAveragePool2d::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const Size2d image = size_of_image(in[0].shape());
  if (height == 1 && width == 1) {
    return sum_over(stream, in[0], kImage, 1.0 / static_cast<double>(image.h * image.w), out[0]);
  }
  gather(stream, BoxAverage{image, {height, width}}, in[0], out[0]);
}

void AdaptiveAveragePool2d::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  gather(stream, BoxAverageGradient{{height, width}, size_of_image(dx.shape())}, dy, dx);
}

std::int64_t AdaptiveAveragePool2d::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return height == 1 && width == 1 ? sum_over_workspace_bytes(stream, in[0], kImage) : 0;
}

}  // namespace chiasm
