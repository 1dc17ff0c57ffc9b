// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

const Primitive kDecayPrimitive{
    .name = "decay",
    .value_formula = "1/2 |B|^2",
    .gradient_formula = "B",
    .meaning = "keeps the backward weight small",
    .local = true,
    .cost = "element-wise",
    .of = Primitive::Of::kBackwardWeight,
    .value = [](const LayerSignals& s) { return affine(squared_norm(s.backward), 0.5, 0.0); },
    .gradient = [](const LayerSignals& s) -> ScaledSignal {
      return {s.backward, 1.0};
    },
};

}  // namespace chiasm
