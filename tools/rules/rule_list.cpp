// SPDX-License-Identifier: Apache-2.0
#include "tools/rules/rule_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/config/spelling.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kIndent = "    ";

// "backprop (bp)"
std::string title_of(const NamedRule& named) { return fmt::format("{} ({})", named.rule.name, named.abbreviation); }

std::vector<std::string> names_of(const RuleList& list) {
  std::vector<std::string> names = rule_names();
  for (const Primitive* primitive : list.primitives) names.emplace_back(primitive->name);
  for (const Preset& preset : list.presets) {
    if (std::ranges::find(names, preset.name) == names.end()) names.push_back(preset.name);
  }
  return names;
}

// Names that hold `wanted`, or are held by it, and the one that a typist could have meant.
std::vector<std::string> similar_names(const std::vector<std::string>& names, const std::string& wanted) {
  constexpr std::size_t kShort = 3;  // abbreviations are in everything
  std::vector<std::string> similar;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(similar, name) == similar.end()) similar.push_back(name);
  };
  if (const auto near = nearest_name(wanted, names)) add(*near);
  for (const std::string& name : names) {
    const bool held = wanted.size() >= kShort && name.find(wanted) != name.npos;
    if (held || (name.size() > kShort && wanted.find(name) != wanted.npos)) add(name);
  }
  return similar;
}

[[noreturn]] void throw_unknown(const std::string& what, const RuleList& list, const std::string& name) {
  const std::vector<std::string> names = names_of(list), similar = similar_names(names, name);
  throw InputError(fmt::format("there is no {} \"{:.100}\"; {}: {} (chiasm rules describes them)", what, name,
                               similar.empty() ? "known" : "similar",
                               fmt::join(similar.empty() ? names : similar, ", ")));
}

RuleList matching(const RuleList& all, const std::string& name) {
  RuleList found;
  for (const NamedRule* named : all.rules) {
    if (named->is_called(name)) found.rules.push_back(named);
  }
  for (const Primitive* primitive : all.primitives) {
    if (primitive->name == name) found.primitives.push_back(primitive);
  }
  for (const Preset& preset : all.presets) {
    if (preset.name == name) found.presets.push_back(preset);
  }
  return found;
}

bool is_empty(const RuleList& list) { return list.rules.empty() && list.primitives.empty() && list.presets.empty(); }

const char* locality_of(const Primitive& primitive) { return primitive.local ? "local" : "not local"; }

// As it stands in a recipe, one key a line.
std::string settings_lines(const std::string& settings) {
  std::string out;
  const Json json = Json::parse(settings);
  for (const auto& [key, value] : json.items()) {
    out += fmt::format("{}{}  \"{}\": {}", out.empty() ? "" : ",\n", kIndent, key, value.dump());
  }
  return fmt::format("  settings, as \"learning_rule\" of a recipe\n{}{{\n{}\n{}}}\n", kIndent, out, kIndent);
}

std::string rows(const std::vector<std::pair<const char*, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) out += fmt::format("  {:<12}{}\n", name, value);
  return out;
}

// What to say in a recipe, or with --set, for a preset: its name alone may be that of a rule.
std::string selection_of(const Preset& preset) {
  const bool taken = find_rule(preset.name) != nullptr;
  return fmt::format("--set learning_rule{}={}", taken ? ".preset" : "", preset.name);
}

Json rule_json(const NamedRule& named) {
  return {{"name", named.rule.name},
          {"abbreviation", named.abbreviation},
          {"formula", named.formula},
          {"locality", named.locality},
          {"cost", named.cost},
          {"reference", named.reference},
          {"alternates", named.alternates},
          {"settings", Json::parse(settings_of(named))}};
}

Json primitive_json(const Primitive& primitive) {
  return {{"name", primitive.name},       {"value", primitive.value_formula}, {"gradient", primitive.gradient_formula},
          {"meaning", primitive.meaning}, {"local", primitive.local},         {"cost", primitive.cost}};
}

Json preset_json(const Preset& preset) {
  return {{"name", preset.name},
          {"title", preset.title},
          {"published", preset.published},
          {"defaults", preset.defaults},
          {"settings", Json::parse(settings_of(preset))}};
}

}  // namespace

RuleList all_of_rules() { return {all_rules(), all_primitives(), all_presets()}; }

RuleList find_in_rules(const std::string& name) {
  const RuleList all = all_of_rules();
  RuleList found = matching(all, name);
  if (is_empty(found)) throw_unknown("learning rule, primitive or preset", all, name);
  return found;
}

void check_rule_names(const std::vector<std::string>& names) {
  RuleList all = all_of_rules();
  all.primitives.clear();
  std::map<std::string, std::string> given;  // by what is meant
  for (const std::string& name : names) {
    const RuleList found = matching(all, name);
    if (is_empty(found)) throw_unknown("learning rule or preset", all, name);
    const std::string meant = found.rules.empty() ? name : found.rules.front()->rule.name;
    const auto [at, is_new] = given.emplace(meant, name);
    if (is_new) continue;
    throw InputError(name == at->second ? fmt::format("{} is given twice", name)
                                        : fmt::format("{} and {} are the same rule", at->second, name));
  }
}

std::string overview_of(const RuleList& list) {
  std::string out = "rules: --set learning_rule=NAME; cost is beside backpropagation\n";
  for (const NamedRule* named : list.rules) {
    out += fmt::format("  {:<4}  {:<26} {}\n{:8}{}; cost: {}\n{:8}{}\n", named->abbreviation, named->rule.name,
                       named->formula, "", named->locality, named->cost, "", named->reference);
  }
  out += fmt::format("\nprimitives: terms of rules\n  {:<8}{:<18}{:<16}{:<11}{}\n", "name", "value", "gradient on B",
                     "locality", "cost");
  for (const Primitive* p : list.primitives) {
    out += fmt::format("  {:<8}{:<18}{:<16}{:<11}{}\n", p->name, p->value_formula, p->gradient_formula, locality_of(*p),
                       p->cost);
  }
  out += "\npresets: published settings\n";
  std::size_t width = 0;
  for (const Preset& preset : list.presets) width = std::max(width, preset.name.size());
  for (const Preset& preset : list.presets) out += fmt::format("  {:<{}}  {}\n", preset.name, width, preset.title);
  return out + "\nchiasm rules NAME shows everything about one.\n";
}

std::string details_of(const RuleList& list) {
  std::string out;
  const auto begin = [&](const std::string& what) { out += (out.empty() ? "" : "\n") + what + "\n"; };
  for (const NamedRule* named : list.rules) {
    begin(title_of(*named) + ", a rule");
    out += rows({{"formula", std::string(named->formula)},
                 {"locality", std::string(named->locality)},
                 {"cost", std::string(named->cost) + " (beside backpropagation)"},
                 {"reference", std::string(named->reference)},
                 {"to use it", "--set learning_rule=" + std::string(named->abbreviation)}});
    out += settings_lines(settings_of(*named));
  }
  for (const Primitive* p : list.primitives) {
    std::vector<std::string> users;
    for (const NamedRule* named : all_rules()) {
      const auto& terms = named->rule.terms;
      if (std::ranges::find(terms, p, &RuleTerm::primitive) != terms.end()) users.push_back(named->rule.name);
    }
    begin(std::string(p->name) + ", a primitive");
    out += rows({{"value", std::string(p->value_formula)},
                 {"gradient", std::string(p->gradient_formula) + " (on B)"},
                 {"meaning", std::string(p->meaning)},
                 {"locality", locality_of(*p)},
                 {"cost", std::string(p->cost)},
                 {"rules", fmt::format("{}", fmt::join(users, ", "))},
                 {"to use it", fmt::format("--set 'learning_rule={{\"primitives\": {{\"{}\": 1e-3}}}}'", p->name)}});
  }
  for (const Preset& preset : list.presets) {
    begin(preset.name + ", a preset");
    out += rows({{"title", preset.title},
                 {"published", preset.published},
                 {"defaults", preset.defaults},
                 {"to use it", selection_of(preset)}});
    out += settings_lines(settings_of(preset));
  }
  return out;
}

std::string json_of(const RuleList& list) {
  Json rules = Json::array(), primitives = Json::array(), presets = Json::array();
  for (const NamedRule* named : list.rules) rules.push_back(rule_json(*named));
  for (const Primitive* primitive : list.primitives) primitives.push_back(primitive_json(*primitive));
  for (const Preset& preset : list.presets) presets.push_back(preset_json(preset));
  return Json{{"rules", rules}, {"primitives", primitives}, {"presets", presets}}.dump(2, ' ', false,
                                                                                       Json::error_handler_t::replace) +
         "\n";
}

}  // namespace chiasm
