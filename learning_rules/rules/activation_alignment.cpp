// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

extern const NamedRule kActivationAlignment;
const NamedRule kActivationAlignment{
    .rule = {.name = "activation_alignment",
             .feedback = Feedback::kOwn,
             .terms = {{&kAmpPrimitive, {.value = 2e-3}}, {&kSparsePrimitive, {.value = 2e-3}}},
             .operations = {.fo_bias = true, .bo_bias = true}},
    .abbreviation = "aa",
    .formula = "amp + sparse",
    .locality = "not local: sparse is not",
    .cost = "one forward and one weight-gradient product",
    .reference = "Kunin et al. 2020",
};

}  // namespace chiasm
