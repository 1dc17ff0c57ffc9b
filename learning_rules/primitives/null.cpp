// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

const Primitive kNullPrimitive{
    .name = "null",
    .value_formula = "1/2 mean |r|^2",
    .gradient_formula = "mean r y^T",
    .meaning = "keeps the reconstruction of the input small, as the correction in Oja's rule does",
    .local = true,
    .cost = "one input-gradient and one weight-gradient product",
    .of = Primitive::Of::kReconstruction,
    .value = [](const LayerSignals& s) { return affine(squared_norm(s.r), 0.5 / s.samples, 0.0); },
    .gradient = [](const LayerSignals& s) -> ScaledSignal {
      return {s.r, 1.0 / s.samples};
    },
};

}  // namespace chiasm
