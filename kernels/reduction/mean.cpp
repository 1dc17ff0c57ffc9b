// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/mean.h"

#include "kernels/reduction/sum_over.h"

namespace chiasm {
namespace {

double share(const Shape& shape, AxisMask reduced) { return 1.0 / static_cast<double>(reduced_count(shape, reduced)); }

}  // namespace

std::vector<Spec> Mean::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape.rank());
  if (reduced_count(in[0].shape, reduced) == 0) {
    throw_shape(kName, "the input " + to_string(in[0].shape) + " has no element along the axes to average over");
  }
  return {{in[0].dtype, reduced_shape(in[0].shape, reduced, keep_axes)}};
}

void Mean::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape().rank());
  sum_over(stream, in[0], reduced, share(in[0].shape(), reduced), out[0]);
}

void Mean::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  const AxisMask reduced = reduced_axes(kName, axes, dx.shape().rank());
  spread_over(stream, dy, reduced, share(dx.shape(), reduced), dx);
}

std::int64_t Mean::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  return sum_over_workspace_bytes(in[0], reduced_axes(kName, axes, in[0].shape.rank()));
}

}  // namespace chiasm
