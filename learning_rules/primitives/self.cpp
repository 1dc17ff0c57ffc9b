// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

const Primitive kSelfPrimitive{
    .name = "self",
    .value_formula = "-tr(B W)",
    .gradient_formula = "-W^T",
    .meaning = "pulls the backward weight to the forward weight",
    .local = false,
    .cost = "element-wise",
    .of = Primitive::Of::kBackwardWeight,
    .value = [](const LayerSignals& s) { return -inner_product(s.forward, s.backward); },
    .gradient = [](const LayerSignals& s) -> ScaledSignal {
      return {s.forward, -1.0};
    },
};

}  // namespace chiasm
