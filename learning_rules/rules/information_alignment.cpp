// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

extern const NamedRule kInformationAlignment;
const NamedRule kInformationAlignment{
    .rule = {.name = "information_alignment",
             .feedback = Feedback::kOwn,
             .terms = {{&kAmpPrimitive, {.value = 2e-3}},
                       {&kDecayPrimitive, {.value = 2e-3}},
                       {&kNullPrimitive, {.value = 2e-3}}},
             .operations = {.fo_bias = true,
                            .fo_relu = true,
                            .fo_fwmc = true,
                            .fo_bwmc = true,
                            .bo_bias = true,
                            .bo_fwmc = true,
                            .bo_fwl2n = true},
             .noise = {InputNoise::Kind::kNormal, 1.0}},
    .alternates = true,
    .abbreviation = "ia",
    .formula = "amp + decay + null",
    .locality = "local",
    .cost = "its own steps: two forward, one input-gradient and two weight-gradient products",
    .reference = "Kunin et al. 2020",
};

}  // namespace chiasm
