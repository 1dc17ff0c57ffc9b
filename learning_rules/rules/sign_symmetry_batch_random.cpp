// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"

namespace chiasm {

extern const NamedRule kSignSymmetryBatchRandom;
const NamedRule kSignSymmetryBatchRandom{
    .rule = {.name = "sign_symmetry_batch_random",
             .feedback = Feedback::kSign,
             .magnitude = SignMagnitude::kBatchRandom},
    .abbreviation = "brsf",
    .formula = "B = sign(W)^T rms(W) |M|, M drawn anew at every step",
    .locality = "not local: needs signs of forward weights",
    .cost = "element-wise on the weights",
    .reference = "Liao, Leibo and Poggio 2016",
};

}  // namespace chiasm
