// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

const Primitive kAmpPrimitive{
    .name = "amp",
    .value_formula = "-mean <q, y>",
    .gradient_formula = "-mean x y^T",
    .meaning = "makes the projection follow what the layer says",
    .local = true,
    .cost = "one weight-gradient product",
    .of = Primitive::Of::kProjection,
    .value = [](const LayerSignals& s) { return affine(inner_product(s.q, s.y), -1.0 / s.samples, 0.0); },
    .gradient = [](const LayerSignals& s) -> ScaledSignal {
      return {s.y, -1.0 / s.samples};
    },
};

}  // namespace chiasm
