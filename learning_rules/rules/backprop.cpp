// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"

namespace chiasm {

extern const NamedRule kBackprop;
const NamedRule kBackprop{
    .rule = {.name = "backprop", .feedback = Feedback::kTied},
    .abbreviation = "bp",
    .formula = "B = W^T",
    .locality = "not local: errors travel through the forward weights",
    .cost = "none",
    .reference = "Rumelhart, Hinton and Williams 1986",
};

}  // namespace chiasm
