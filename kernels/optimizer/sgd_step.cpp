// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer/sgd_step.h"

#include "kernels/optimizer/sgd_update.h"
#include "kernels/optimizer/update_loop.h"

namespace chiasm {

std::vector<Spec> SgdStep::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 4);
  constexpr std::string_view kNames[] = {"w", "g", "v"};
  require_update(kName, in, kNames);
  return {in[0], in[0]};
}

void SgdStep::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const double learning_rate = scalar_of(in[3]);
  visit_floating(in[0].dtype(), [&]<class T>() {
    const SgdUpdate<T> update(*this, learning_rate);
    update_elements<T>(stream, std::array{in[0], in[1], in[2]}, std::array{out[0], out[1]},
                       [=](T w, T g, T v) CHIASM_INLINE_LAMBDA { return update(w, g, v); });
  });
}

}  // namespace chiasm
