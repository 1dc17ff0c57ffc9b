// SPDX-License-Identifier: Apache-2.0
// The list of rules: one a file, and a new one is a file and a line here.
#include "learning_rules/learning_rule.h"

namespace chiasm {

#define CHIASM_RULES(rule)                                                                                          \
  rule(kBackprop) rule(kFeedbackAlignment) rule(kDirectFeedbackAlignment) rule(kSignSymmetryUniform)                \
      rule(kSignSymmetryBatchRandom) rule(kSignSymmetryFixedRandom) rule(kWeightMirror) rule(kInformationAlignment) \
          rule(kSymmetricAlignment) rule(kActivationAlignment) rule(kKolenPollack)

#define CHIASM_DECLARE(name) extern const NamedRule name;
CHIASM_RULES(CHIASM_DECLARE)
#undef CHIASM_DECLARE

const std::vector<const NamedRule*>& all_rules() {
#define CHIASM_ADDRESS(name) &name,
  static const std::vector<const NamedRule*> rules{CHIASM_RULES(CHIASM_ADDRESS)};
#undef CHIASM_ADDRESS
  return rules;
}

}  // namespace chiasm
