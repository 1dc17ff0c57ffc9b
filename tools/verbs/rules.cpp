// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "tools/rules/rule_list.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  std::string name;
  bool json = false;
};

int rules(const Options& o) {
  const RuleList list = o.name.empty() ? all_of_rules() : find_in_rules(o.name);
  std::cout << (o.json ? json_of(list) : o.name.empty() ? overview_of(list) : details_of(list));
  return 0;
}

}  // namespace

void add_rules(CLI::App& app, Action& action) {
  auto o = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("rules", "List learning rules, their primitives and published settings");
  verb->add_option("name", o->name, "A rule (or its abbreviation), a primitive or a preset: everything about it");
  verb->add_flag("--json", o->json, "Print JSON");
  verb->footer(
      "In formulas W is a layer's forward weight, B its backward weight; x what the layer receives, y what it says, "
      "q = B^T x and r = B y.\n"
      "Examples:\n"
      "  chiasm rules\n"
      "  chiasm rules fa\n"
      "  chiasm rules wm_tpe --json\n"
      "  chiasm train fashion_rgc --set learning_rule=fa --out runs/fa");
  verb->callback([o, &action] { action = [o] { return rules(*o); }; });
}

}  // namespace chiasm
