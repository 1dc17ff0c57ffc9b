// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"

namespace chiasm {

extern const NamedRule kSignSymmetryUniform;
const NamedRule kSignSymmetryUniform{
    .rule = {.name = "sign_symmetry_uniform", .feedback = Feedback::kSign, .magnitude = SignMagnitude::kUniform},
    .abbreviation = "usf",
    .formula = "B = sign(W)^T rms(W)",
    .locality = "not local: needs signs of forward weights",
    .cost = "element-wise on the weights",
    .reference = "Liao, Leibo and Poggio 2016",
};

}  // namespace chiasm
