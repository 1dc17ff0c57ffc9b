// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh and spread.cuh.
#include "kernels/reduction/sum_over.h"
#include "kernels/reduction/sum_to.h"

namespace chiasm {

void SumTo::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  sum_over(stream, in[0], broadcast_axes(shape, in[0].shape()), 1.0, out[0]);
}

void SumTo::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  spread_over(stream, dy, broadcast_axes(shape, dx.shape()), 1.0, dx);
}

std::int64_t SumTo::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(stream, in[0], broadcast_axes(shape, in[0].shape));
}

}  // namespace chiasm
