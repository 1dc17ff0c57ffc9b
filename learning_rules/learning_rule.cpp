// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_rule.h"

#include <algorithm>

#include "kernels/error.h"

namespace chiasm {
namespace {

bool has(const LearningRule& rule, Primitive::Of of) {
  return std::ranges::any_of(rule.terms, [&](const RuleTerm& term) { return term.primitive->of == of; });
}

}  // namespace

bool LearningRule::untied() const {
  return feedback == Feedback::kOwn || (feedback == Feedback::kSign && magnitude == SignMagnitude::kFixedRandom);
}

bool LearningRule::rides_on_task() const { return has(*this, Primitive::Of::kTaskGradient); }
bool LearningRule::aligns() const { return !terms.empty() && !rides_on_task(); }

void LearningRule::check() const {
  if (!terms.empty() && feedback != Feedback::kOwn) {
    throw InputError("the rule \"" + name +
                     "\" has primitives, which move a backward weight, and its layers have none of their own");
  }
  const auto constant = [&](const Primitive& primitive, bool holds, const char* why) {
    const bool used = std::ranges::any_of(terms, [&](const RuleTerm& term) { return term.primitive == &primitive; });
    if (!used || !holds) return;
    throw InputError("the rule \"" + name + "\" has \"" + std::string(primitive.name) +
                     "\", which is a constant under " + why + ": its vectors all have the same norm");
  };
  constant(primitive_of("sparse"), operations.bo_fwl2n, "bo_fwl2n");
  constant(primitive_of("null"), operations.fo_fwl2n && !operations.fo_bwmc, "fo_fwl2n without fo_bwmc");
  if (!rides_on_task()) return;
  if (has(*this, Primitive::Of::kProjection) || has(*this, Primitive::Of::kReconstruction)) {
    throw InputError("the rule \"" + name +
                     "\" has \"angle\", whose gradient is that of the task, beside a primitive of activity; allowed "
                     "with it: decay, self");
  }
}

const NamedRule* find_rule(std::string_view name) {
  const auto found = std::ranges::find_if(all_rules(), [&](const NamedRule* named) { return named->is_called(name); });
  return found == all_rules().end() ? nullptr : *found;
}

const NamedRule& rule_of(std::string_view name) {
  if (const NamedRule* named = find_rule(name)) return *named;
  std::string known;
  for (const NamedRule* named : all_rules()) known += (known.empty() ? "" : ", ") + named->rule.name;
  throw InputError("unknown learning rule \"" + std::string(name) + "\"; allowed: " + known);
}

std::vector<std::string> rule_names() {
  std::vector<std::string> names;
  for (const NamedRule* named : all_rules()) {
    names.push_back(named->rule.name);
    names.emplace_back(named->abbreviation);
  }
  return names;
}

}  // namespace chiasm
