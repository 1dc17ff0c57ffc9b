// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

const Primitive kAnglePrimitive{
    .name = "angle",
    .value_formula = "sum <x, B delta>",
    .gradient_formula = "(dJ/dW)^T",
    .meaning = "gives the backward weight the update of the forward weight",
    .local = true,
    .cost = "element-wise",
    .of = Primitive::Of::kTaskGradient,
    .value = [](const LayerSignals& s) { return inner_product(s.task_gradient, s.backward); },
    .gradient = [](const LayerSignals& s) -> ScaledSignal {
      return {s.task_gradient, 1.0};
    },
};

}  // namespace chiasm
