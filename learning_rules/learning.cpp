// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning.h"

#include <algorithm>

#include "engine/glob.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

bool any_rule(const Learning& learning, bool (LearningRule::*holds)() const) {
  return (learning.rule.*holds)() || std::ranges::any_of(learning.placements, [&](const RulePlacement& placement) {
           return (placement.rule.*holds)();
         });
}

}  // namespace

const LearningRule& Learning::rule_of(std::string_view path) const {
  for (const RulePlacement& placement : placements) {
    if (fits_any(placement.patterns, path)) {
      return placement.rule;
    }
  }
  return rule;
}

void Learning::for_each_rule(const std::function<void(const LearningRule&)>& visit) const {
  visit(rule);
  for (const RulePlacement& placement : placements) visit(placement.rule);
}

bool Learning::any_untied() const { return any_rule(*this, &LearningRule::untied); }
bool Learning::aligns() const { return any_rule(*this, &LearningRule::aligns); }

void Learning::check() const {
  rule.check();
  for (const RulePlacement& placement : placements) placement.rule.check();
  if ((phases.alternate || phases.delay_epochs > 0.0) && !aligns()) {
    throw InputError("the rule \"" + name +
                     "\" has no alignment loss of its own, so there is nothing to alternate with or to delay for");
  }
}

}  // namespace chiasm
