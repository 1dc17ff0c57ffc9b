// SPDX-License-Identifier: Apache-2.0
// Templates of composition.h, and the objects made from them. Internal to engine/config.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "engine/config/references.h"

namespace chiasm::detail {

class Templates {
 public:
  // `value` is the object of templates, or null when there are none. It and what `place` is in stay with the caller.
  Templates(const ConfigValue* value, const Place& place);

  // Names that the templates leave to the definitions.
  void add_free_mentions(std::set<std::string_view>& names) const;

  // `user`, an object that has "template" and is plain otherwise, laid over the template it names. `depth`: the lists
  // and objects around it.
  ConfigValuePtr instance(const ConfigValuePtr& user, const Place& place, Expander& expander, int depth) const;

 private:
  struct Template {
    ConfigValuePtr body;  // without "with"
    const ConfigObject* defaults = nullptr;
    std::set<std::string_view> mentions;
  };

  void check_given(const ConfigObject& given, const Template& source, const Place& place) const;

  std::map<std::string, Template> all_;
  Place place_;
};

// Takes a member out of an object; null when there is none.
ConfigValuePtr take_member(ConfigObject& object, const std::string& name);

// The members of an object; fails when the value is something else.
const ConfigObject& members_of(const ConfigValue& value, const Place& place);

// "; did you mean "x"?", or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& names);

}  // namespace chiasm::detail
