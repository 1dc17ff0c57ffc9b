// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "tools/rules/rule_list.h"
#include "tools/terminal/command_line.h"
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

void add_rules(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("rules", "List learning rules, their primitives and published settings");
  verb.option("name", o->name, "A rule (or its abbreviation), a primitive or a preset: everything about it");
  verb.flag("--json", o->json, "Print JSON");
  verb.footer(
      "In formulas W is a layer's forward weight, B its backward weight; x what the layer receives, y what it says, "
      "q = B^T x and r = B y.\n"
      "Examples:\n"
      "  chiasm rules\n"
      "  chiasm rules fa\n"
      "  chiasm rules wm_tpe --json\n"
      "  chiasm train fashion_rgc --set learning_rule=fa --out runs/fa");
  verb.action([o] { return rules(*o); });
}

}  // namespace chiasm
