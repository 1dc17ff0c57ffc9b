// SPDX-License-Identifier: Apache-2.0
// Pick on CUDA. A thread moves one element: what is picked is a readout, far smaller than what a network computes.
#include <limits>
#include <type_traits>

#include "kernels/cuda/launch.cuh"
#include "kernels/indexing/pick.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;

// x [samples, parts, inner], picked [samples, inner].
struct Extents {
  std::int64_t elements;  // of the result
  std::int64_t parts, inner;
};

template <class T>
__global__ void __launch_bounds__(kThreads) pick_parts(const T* x, const std::int32_t* index, T* y, const Extents e) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= e.elements) return;
  const std::int64_t n = i / e.inner;
  const std::int64_t part = index[n];
  T value{};
  if (part >= 0 && part < e.parts) {
    value = x[(n * e.parts + part) * e.inner + i - n * e.inner];
  } else if constexpr (std::is_floating_point_v<T>) {
    value = std::numeric_limits<T>::quiet_NaN();
  }
  y[i] = value;
}

// Every element of dx: dy where it was picked, else zero.
__global__ void __launch_bounds__(kThreads)
    put_back_parts(const float* dy, const std::int32_t* index, float* dx, const Extents e) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= e.elements) return;
  const std::int64_t row = i / e.inner, n = row / e.parts;
  dx[i] = index[n] == row - n * e.parts ? dy[n * e.inner + i - row * e.inner] : 0.0f;
}

Extents extents_of(const Shape& x, const Shape& result) {
  std::int64_t inner = 1;
  for (int axis = 2; axis < x.rank(); ++axis) inner *= x[axis];
  return {result.elements(), x[1], inner};
}

}  // namespace

void Pick::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const Extents e = extents_of(in[0].shape(), out[0].shape());
  visit_any(in[0].dtype(), [&]<class T>() {
    CHIASM_LAUNCH(stream, pick_parts<T>, blocks_for(e.elements, kThreads), kThreads, 0, in[0].as<T>(),
                  in[1].as<std::int32_t>(), out[0].as<T>(), e);
  });
}

void Pick::backward(CudaStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, {&dy, 1}, {&dx, 1});
  require_cuda_views(kName, in.subspan(1), {});
  const Extents e = extents_of(dx.shape(), dx.shape());
  CHIASM_LAUNCH(stream, put_back_parts, blocks_for(e.elements, kThreads), kThreads, 0, dy.as<float>(),
                in[1].as<std::int32_t>(), dx.as<float>(), e);
}

}  // namespace chiasm
