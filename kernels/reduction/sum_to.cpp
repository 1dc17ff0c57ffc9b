// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/sum_to.h"

#include "kernels/reduction/sum_over.h"

namespace chiasm {

std::vector<Spec> SumTo::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  if (!broadcasts_to(shape, in[0].shape)) {
    throw_shape(kName, "the input " + to_string(in[0].shape) + " cannot have been broadcast from " + to_string(shape));
  }
  return {{in[0].dtype, shape}};
}

void SumTo::forward(CpuStream& stream, Inputs in, Outputs out) const {
  sum_over(stream, in[0], broadcast_axes(shape, in[0].shape()), 1.0, out[0]);
}

void SumTo::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  spread_over(stream, dy, broadcast_axes(shape, dx.shape()), 1.0, dx);
}

std::int64_t SumTo::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(in[0], broadcast_axes(shape, in[0].shape));
}

}  // namespace chiasm
