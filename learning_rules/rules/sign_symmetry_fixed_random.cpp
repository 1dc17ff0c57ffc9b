// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"

namespace chiasm {

extern const NamedRule kSignSymmetryFixedRandom;
const NamedRule kSignSymmetryFixedRandom{
    .rule = {.name = "sign_symmetry_fixed_random",
             .feedback = Feedback::kSign,
             .magnitude = SignMagnitude::kFixedRandom},
    .abbreviation = "frsf",
    .formula = "B = sign(W)^T |M|, M random, fixed",
    .locality = "not local: needs signs of forward weights",
    .cost = "element-wise on the weights",
    .reference = "Liao, Leibo and Poggio 2016",
};

}  // namespace chiasm
