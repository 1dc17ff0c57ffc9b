// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh and spread.cuh.
#include "kernels/reduction/sum.h"
#include "kernels/reduction/sum_over.h"

namespace chiasm {

void Sum::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  sum_over(stream, in[0], reduced_axes(kName, axes, in[0].shape().rank()), 1.0, out[0]);
}

void Sum::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  spread_over(stream, dy, reduced_axes(kName, axes, dx.shape().rank()), 1.0, dx);
}

std::int64_t Sum::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(stream, in[0], reduced_axes(kName, axes, in[0].shape.rank()));
}

}  // namespace chiasm
