// SPDX-License-Identifier: Apache-2.0
#include "engine/config/expand.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "engine/config/templates.h"

namespace chiasm::detail {
namespace {

ConfigValue* find_member(ConfigValue* value, const std::string& name) {
  auto* object = value == nullptr ? nullptr : std::get_if<ConfigObject>(&value->data);
  const std::size_t* index = object == nullptr ? nullptr : object->find(name);
  return index == nullptr ? nullptr : object->values[*index].get();
}

// Every definition is used by the document, by a template, or by a definition that is used.
void check_used(const ConfigObject& definitions, const ConfigValue& document, const Templates& templates) {
  std::set<std::string_view> used;
  add_mentions(document, used);
  templates.add_free_mentions(used);
  std::vector<std::string_view> left(used.begin(), used.end());
  while (!left.empty()) {
    const std::size_t* index = definitions.find(std::string(left.back()));
    left.pop_back();
    if (index == nullptr) continue;
    std::set<std::string_view> more;
    add_mentions(*definitions.values[*index], more);
    for (const std::string_view name : more) {
      if (used.insert(name).second) left.push_back(name);
    }
  }
  const Place top, define = top.member("define");
  for (std::size_t i = 0; i < definitions.names.size(); ++i) {
    const std::string& name = definitions.names[i];
    if (used.contains(name) || definitions.values[i]->accepted) continue;
    fail_at(*definitions.values[i], define.member(name),
            fmt::format("this definition is never used: there is no \"${:.60}\"{}", name,
                        did_you_mean(name, {used.begin(), used.end()})));
  }
}

void accept(ConfigValue* object, const std::set<std::string_view>& names) {
  auto* members = object == nullptr ? nullptr : std::get_if<ConfigObject>(&object->data);
  for (std::size_t i = 0; members != nullptr && i < members->names.size(); ++i) {
    if (names.contains(members->names[i])) members->values[i]->accepted = true;
  }
}

}  // namespace

void accept_used_names(ConfigValue& document, const TemplateKeys& keys) {
  std::set<std::string_view> used;
  add_mentions(document, used);
  accept(find_member(&document, "define"), used);
  ConfigValue* templates = find_member(find_member(&document, keys.object), keys.templates);
  auto* members = templates == nullptr ? nullptr : std::get_if<ConfigObject>(&templates->data);
  for (std::size_t i = 0; members != nullptr && i < members->names.size(); ++i) {
    accept(find_member(members->values[i].get(), "with"), used);
  }
}

ConfigValuePtr expanded(ConfigValue& document, const TemplateKeys& keys) {
  const Place top, define_place = top.member("define"), object_place = top.member(keys.object);
  const Place templates_place = object_place.member(keys.templates), users_place = object_place.member(keys.users);

  const ConfigValuePtr define = take_member(std::get<ConfigObject>(document.data), "define");
  const ConfigObject* definitions = define == nullptr ? nullptr : &members_of(*define, define_place);
  ConfigValue* owner = find_member(&document, keys.object);
  ConfigValuePtr templates_value;
  if (find_member(owner, keys.templates) != nullptr) {
    templates_value = take_member(std::get<ConfigObject>(owner->data), keys.templates);
  }
  const Templates templates(templates_value.get(), templates_place);
  Expander expander(definitions);
  ConfigValuePtr plain = expander.expand(document, top, {}, 0);

  ConfigValue* users = find_member(find_member(plain.get(), keys.object), keys.users);
  if (auto* list = users == nullptr ? nullptr : std::get_if<ConfigList>(&users->data)) {
    constexpr int kDepth = 3;  // the top, the object, the list
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      ConfigValuePtr& user = list->items[i];
      if (find_member(user.get(), "template") == nullptr) continue;
      user = templates.instance(user, users_place.item(i), expander, kDepth);
    }
  }
  // After the rest: what is misspelt where it is used shows there.
  if (definitions != nullptr) check_used(*definitions, document, templates);
  return plain;
}

}  // namespace chiasm::detail
