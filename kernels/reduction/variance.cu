// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: moments.cuh, one read of x forward; backward reads x twice and writes dx (spread.cuh).
#include "kernels/reduction/moments.cuh"
#include "kernels/reduction/spread.cuh"
#include "kernels/reduction/variance.h"

namespace chiasm {
namespace {

struct StoreVariance {
  float* y;
  float divisor;
  __device__ void operator()(std::int64_t k, const Moments& moments) const { y[k] = moments.squares / divisor; }
};

struct StoreMean {
  float* near;
  float* rest;
  __device__ void operator()(std::int64_t k, const Moments& moments) const {
    near[k] = moments.near;
    rest[k] = moments.rest;
  }
};

struct Distance {
  static constexpr bool kReadsElement = true;
  const float* element;
  const float* near;
  const float* rest;
  const float* dy;
  float factor;
  __device__ float operator()(float x, std::int64_t k) const { return factor * dy[k] * ((x - near[k]) - rest[k]); }
};

double divisor(const Variance& op, const Shape& shape, AxisMask reduced) {
  return static_cast<double>(reduced_count(shape, reduced) - (op.unbiased ? 1 : 0));
}

}  // namespace

void Variance::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape().rank());
  const StoreVariance store{out[0].as<float>(), static_cast<float>(divisor(*this, in[0].shape(), reduced))};
  reduce(stream, ReduceLayout(in[0].shape(), reduced), moments_reducer(in[0].as<float>(), store),
         stream.workspace(workspace_bytes(stream, std::vector<Spec>{in[0].spec()})));
}

void Variance::backward(CudaStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, in, Outputs(&dx, 1));
  const View& x = in[0];
  const AxisMask reduced = reduced_axes(kName, axes, x.shape().rank());
  const ReduceLayout layout(x.shape(), reduced);
  auto* near =
      reinterpret_cast<float*>(stream.workspace(backward_workspace_bytes(stream, 0, std::vector<Spec>{x.spec()})));
  float* rest = near + layout.outputs();
  reduce(stream, layout, moments_reducer(x.as<float>(), StoreMean{near, rest}), rest + layout.outputs());
  const auto factor = static_cast<float>(2.0 / divisor(*this, x.shape(), reduced));
  spread(stream, x.shape(), reduced, Distance{x.as<float>(), near, rest, dy.as<float>(), factor}, dx.as<float>());
}

std::int64_t Variance::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape.rank());
  return reduce_workspace_bytes<MomentsReducer<StoreVariance>>(ReduceLayout(in[0].shape, reduced));
}

std::int64_t Variance::backward_workspace_bytes(const CudaStream& stream, int, std::span<const Spec> in) const {
  const ReduceLayout layout(in[0].shape, reduced_axes(kName, axes, in[0].shape.rank()));
  return 2 * layout.outputs() * static_cast<std::int64_t>(sizeof(float)) + workspace_bytes(stream, in);
}

}  // namespace chiasm
