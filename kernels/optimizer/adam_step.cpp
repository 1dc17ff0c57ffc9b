// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer/adam_step.h"

#include "kernels/optimizer/adam_update.h"
#include "kernels/optimizer/update_loop.h"

namespace chiasm {

std::vector<Spec> AdamStep::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 6);
  constexpr std::string_view kNames[] = {"w", "g", "m", "v"};
  require_update(kName, in, kNames);
  if (in[5].dtype != DType::kInt32) require_floating(kName, "step", in[5]);
  require_shape(kName, "step", in[5], {});
  return {in[0], in[0], in[0]};
}

void AdamStep::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const double learning_rate = scalar_of(in[4]);
  const double step = scalar_of(in[5]);
  if (!(step >= 1.0)) throw InputError("[adam_step] step counts from 1, found " + std::to_string(step));
  visit_floating(in[0].dtype(), [&]<class T>() {
    const AdamUpdate<T> update(*this, learning_rate, step);
    update_elements<T>(stream, std::array{in[0], in[1], in[2], in[3]}, std::array{out[0], out[1], out[2]},
                       [=](T w, T g, T m, T v) CHIASM_INLINE_LAMBDA { return update(w, g, m, v); });
  });
}

}  // namespace chiasm
