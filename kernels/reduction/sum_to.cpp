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

BatchRule SumTo::batch_rule(std::span<const Spec> in) const {
  if (in[0].shape.rank() == 0) return BatchRule::none();
  const bool keeps = shape.rank() == in[0].shape.rank() && shape[0] == in[0].shape[0];
  return keeps ? BatchRule::each({true}) : BatchRule::sum({true});
}

SumTo SumTo::at_batch(std::span<const Spec> in, std::int64_t batch) const {
  return batch_rule(in).kind == BatchRule::Kind::kEach ? SumTo{shape.with(0, batch)} : *this;
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
