// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/stop_gradient.h"

#include "kernels/indexing/copy.h"

namespace chiasm {

std::vector<Spec> StopGradient::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  return {in[0]};
}

void StopGradient::forward(CpuStream& stream, Inputs in, Outputs out) const { copy_elements(stream, in[0], out[0]); }

}  // namespace chiasm
