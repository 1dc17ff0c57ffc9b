// SPDX-License-Identifier: Apache-2.0
#include "kernels/pooling/global_average_pool.h"

#include "kernels/reduction/sum_over.h"

namespace chiasm {
namespace {

const AxisMask kImage{0b0110};  // H and W of N, H, W, C

double share(const Shape& image) { return 1.0 / static_cast<double>(image[1] * image[2]); }

}  // namespace

std::vector<Spec> GlobalAveragePool::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  require_rank(kName, "the input", in[0], 4);
  const Shape& shape = in[0].shape;
  if (shape[1] * shape[2] == 0) throw_shape(kName, "the input " + to_string(shape) + " has no pixel");
  return {{in[0].dtype, {shape[0], shape[3]}}};
}

void GlobalAveragePool::forward(CpuStream& stream, Inputs in, Outputs out) const {
  sum_over(stream, in[0], kImage, share(in[0].shape()), out[0]);
}

void GlobalAveragePool::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  spread_over(stream, dy, kImage, share(dx.shape()), dx);
}

std::int64_t GlobalAveragePool::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(in[0], kImage);
}

}  // namespace chiasm
