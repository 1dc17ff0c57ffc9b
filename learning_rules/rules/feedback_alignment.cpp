// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"

namespace chiasm {

extern const NamedRule kFeedbackAlignment;
const NamedRule kFeedbackAlignment{
    .rule = {.name = "feedback_alignment", .feedback = Feedback::kOwn},
    .abbreviation = "fa",
    .formula = "B random, fixed",
    .locality = "local",
    .cost = "none",
    .reference = "Lillicrap, Cownden, Tweed and Akerman 2016",
};

}  // namespace chiasm
