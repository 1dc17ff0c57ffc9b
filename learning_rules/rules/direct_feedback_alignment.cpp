// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"

namespace chiasm {

extern const NamedRule kDirectFeedbackAlignment;
const NamedRule kDirectFeedbackAlignment{
    .rule = {.name = "direct_feedback_alignment", .feedback = Feedback::kDirect},
    .abbreviation = "dfa",
    .formula = "error below a layer = D e, e the error of the output, D random, fixed",
    .locality = "local",
    .cost = "less: errors skip the layers",
    .reference = "Nokland 2016",
};

}  // namespace chiasm
