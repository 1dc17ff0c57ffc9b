// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh and spread.cuh.
#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum_over.h"

namespace chiasm {
namespace {

double share(const Shape& shape, AxisMask reduced) { return 1.0 / static_cast<double>(reduced_count(shape, reduced)); }

}  // namespace

void Mean::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape().rank());
  sum_over(stream, in[0], reduced, share(in[0].shape(), reduced), out[0]);
}

void Mean::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  const AxisMask reduced = reduced_axes(kName, axes, dx.shape().rank());
  spread_over(stream, dy, reduced, share(dx.shape(), reduced), dx);
}

std::int64_t Mean::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(stream, in[0], reduced_axes(kName, axes, in[0].shape.rank()));
}

}  // namespace chiasm
