// SPDX-License-Identifier: Apache-2.0
// Mapping and memory traffic: reduce.cuh and spread.cuh.
#include "kernels/pooling/global_average_pool.h"
#include "kernels/reduction/sum_over.h"

namespace chiasm {
namespace {

const AxisMask kImage{0b0110};  // H and W of N, H, W, C

double share(const Shape& image) { return 1.0 / static_cast<double>(image[1] * image[2]); }

}  // namespace

void GlobalAveragePool::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  sum_over(stream, in[0], kImage, share(in[0].shape()), out[0]);
}

void GlobalAveragePool::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, Inputs(&dy, 1), Outputs(&dx, 1));
  spread_over(stream, dy, kImage, share(dx.shape()), dx);
}

std::int64_t GlobalAveragePool::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(stream, in[0], kImage);
}

}  // namespace chiasm
