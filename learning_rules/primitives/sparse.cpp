// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

const Primitive kSparsePrimitive{
    .name = "sparse",
    .value_formula = "1/2 mean |q|^2",
    .gradient_formula = "mean x q^T",
    .meaning = "keeps the backward projection small",
    .local = false,
    .cost = "one forward and one weight-gradient product",
    .of = Primitive::Of::kProjection,
    .value = [](const LayerSignals& s) { return affine(squared_norm(s.q), 0.5 / s.samples, 0.0); },
    .gradient = [](const LayerSignals& s) -> ScaledSignal {
      return {s.q, 1.0 / s.samples};
    },
};

}  // namespace chiasm
