// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer/rms_prop_step.h"

#include "kernels/optimizer/rms_prop_update.h"
#include "kernels/optimizer/update_loop.h"

namespace chiasm {

std::vector<Spec> RmsPropStep::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 5);
  constexpr std::string_view kNames[] = {"w", "g", "v", "b"};
  require_update(kName, in, kNames);
  return {in[0], in[0], in[0]};
}

void RmsPropStep::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const double learning_rate = scalar_of(in[4]);
  visit_floating(in[0].dtype(), [&]<class T>() {
    const RmsPropUpdate<T> update(*this, learning_rate);
    update_elements<T>(stream, std::array{in[0], in[1], in[2], in[3]}, std::array{out[0], out[1], out[2]},
                       [=](T w, T g, T v, T b) CHIASM_INLINE_LAMBDA { return update(w, g, v, b); });
  });
}

}  // namespace chiasm
