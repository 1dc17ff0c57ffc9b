// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

extern const NamedRule kSymmetricAlignment;
const NamedRule kSymmetricAlignment{
    .rule = {.name = "symmetric_alignment",
             .feedback = Feedback::kOwn,
             .terms = {{&kDecayPrimitive, {.value = 2e-3}}, {&kSelfPrimitive, {.value = 2e-3}}},
             .operations = {.fo_bias = true, .bo_bias = true}},
    .abbreviation = "sa",
    .formula = "decay + self",
    .locality = "not local: reads the forward weight",
    .cost = "element-wise on the weights",
    .reference = "Kunin et al. 2020",
};

}  // namespace chiasm
