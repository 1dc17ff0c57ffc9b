// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: gather.cuh.
#include "kernels/pooling/average_pool2d.h"
#include "kernels/pooling/gather.cuh"

namespace chiasm {
namespace {

// Of window (i, j): the pixels it covers, and 1 / how many it counts.
struct Windows {
  Windows(const AveragePool2d& op, const Shape& image)
      : g(resolve_pool(op.kName, op.padding, image, op.window, op.stride)), with_padding(op.count_include_pad) {
    const bool same = op.padding.kind == Padding2d::Kind::kSame;
    end = {g.in.h + (same ? g.bottom : op.padding.bottom), g.in.w + (same ? g.right : op.padding.right)};
  }
  __device__ PixelRange rows(std::int64_t i) const { return inside(i, g.stride.h, g.top, g.kernel.h, g.in.h); }
  __device__ PixelRange columns(std::int64_t j) const { return inside(j, g.stride.w, g.left, g.kernel.w, g.in.w); }
  __device__ float share(std::int64_t i, std::int64_t j) const {
    PixelRange h = rows(i), w = columns(j);
    if (with_padding) {
      h = {i * g.stride.h - g.top, min(i * g.stride.h - g.top + g.kernel.h, end.h)};
      w = {j * g.stride.w - g.left, min(j * g.stride.w - g.left + g.kernel.w, end.w)};
    }
    return 1.0f / static_cast<float>((h.last - h.first) * (w.last - w.first));
  }

  Window2d g;
  Size2d end;  // of the padded image
  bool with_padding;
};

struct Average {
  Size2d from, to;
  Windows windows;
  __device__ PixelRange rows(std::int64_t i) const { return windows.rows(i); }
  __device__ PixelRange columns(std::int64_t j) const { return windows.columns(j); }
  __device__ float source_weight(std::int64_t, std::int64_t) const { return 1.0f; }
  __device__ float result_weight(std::int64_t i, std::int64_t j) const { return windows.share(i, j); }
};

struct AverageGradient {
  Size2d from, to;
  Windows windows;
  __device__ PixelRange rows(std::int64_t h) const {
    const Window2d& g = windows.g;
    return covering(h, g.stride.h, g.top, g.kernel.h, g.out.h);
  }
  __device__ PixelRange columns(std::int64_t w) const {
    const Window2d& g = windows.g;
    return covering(w, g.stride.w, g.left, g.kernel.w, g.out.w);
  }
  __device__ float source_weight(std::int64_t i, std::int64_t j) const { return windows.share(i, j); }
  __device__ float result_weight(std::int64_t, std::int64_t) const { return 1.0f; }
};

}  // namespace

void AveragePool2d::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const Windows windows(*this, in[0].shape());
  gather(stream, Average{windows.g.in, windows.g.out, windows}, in[0], out[0]);
}

void AveragePool2d::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  const Windows windows(*this, dx.shape());
  gather(stream, AverageGradient{windows.g.out, windows.g.in, windows}, dy, dx);
}

}  // namespace chiasm
