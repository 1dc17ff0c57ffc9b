// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

extern const NamedRule kWeightMirror;
const NamedRule kWeightMirror{
    .rule = {.name = "weight_mirror",
             .feedback = Feedback::kOwn,
             .terms = {{&kAmpPrimitive, {.value = 1e-3}}, {&kDecayPrimitive, {.value = 2e-3}}},
             .operations = {.bi_bwmc = true, .fo_bias = true, .fo_relu = true, .fo_bwmc = true},
             .noise = {InputNoise::Kind::kNormal, 1.0}},
    .alternates = true,
    .abbreviation = "wm",
    .formula = "amp + decay",
    .locality = "local",
    .cost = "its own steps: one forward and one weight-gradient product",
    .reference = "Akrout, Wilson, Humphreys, Lillicrap and Tweed 2019; Kunin et al. 2020",
};

}  // namespace chiasm
