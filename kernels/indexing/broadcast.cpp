// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/broadcast.h"

#include "kernels/indexing/copy.h"

namespace chiasm {

std::vector<Spec> Broadcast::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  if (!broadcasts_to(in[0].shape, shape)) {
    throw_shape(kName, "shape " + to_string(in[0].shape) + " does not broadcast to " + to_string(shape));
  }
  return {Spec{in[0].dtype, shape}};
}

void Broadcast::forward(CpuStream& stream, Inputs in, Outputs out) const {
  copy_elements(stream, broadcast_view(in[0], shape), out[0]);
}

}  // namespace chiasm
