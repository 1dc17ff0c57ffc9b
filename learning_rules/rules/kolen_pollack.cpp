// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"
#include "learning_rules/primitives/primitives.h"

namespace chiasm {

extern const NamedRule kKolenPollack;
const NamedRule kKolenPollack{
    .rule = {.name = "kolen_pollack",
             .feedback = Feedback::kOwn,
             .terms = {{&kAnglePrimitive, {.value = 1.0}}, {&kDecayPrimitive, {.layer_l2 = true}}}},
    .abbreviation = "kp",
    .formula = "angle + decay, moved with W by the optimizer of the task",
    .locality = "local, but needs an exact copy of the update",
    .cost = "element-wise on the weights",
    .reference = "Kolen and Pollack 1994; Akrout et al. 2019",
};

}  // namespace chiasm
