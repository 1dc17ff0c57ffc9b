// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/sum.h"

#include "kernels/reduction/sum_over.h"

namespace chiasm {

std::vector<Spec> Sum::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  return {{in[0].dtype, reduced_shape(in[0].shape, reduced_axes(kName, axes, in[0].shape.rank()), keep_axes)}};
}

void Sum::forward(CpuStream& stream, Inputs in, Outputs out) const {
  sum_over(stream, in[0], reduced_axes(kName, axes, in[0].shape().rank()), 1.0, out[0]);
}

void Sum::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  spread_over(stream, dy, reduced_axes(kName, axes, dx.shape().rank()), 1.0, dx);
}

std::int64_t Sum::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(in[0], reduced_axes(kName, axes, in[0].shape.rank()));
}

}  // namespace chiasm
