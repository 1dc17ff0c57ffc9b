// SPDX-License-Identifier: Apache-2.0
#include "engine/config/templates.h"

#include <fmt/format.h>

#include <utility>

#include "engine/config/merge.h"
#include "engine/config/spelling.h"

namespace chiasm::detail {
namespace {

bool is_null(const ConfigValue& value) { return std::holds_alternative<std::monostate>(value.data); }

std::vector<std::string> list_of(const std::set<std::string_view>& names) { return {names.begin(), names.end()}; }

}  // namespace

ConfigValuePtr take_member(ConfigObject& object, const std::string& name) {
  const std::size_t* index = object.find(name);
  if (index == nullptr) return nullptr;
  ConfigValuePtr taken = object.values[*index];
  ConfigObject rest;
  for (std::size_t i = 0; i < object.names.size(); ++i) {
    if (i != *index) rest.add(object.names[i], object.values[i]);
  }
  object = std::move(rest);
  return taken;
}

const ConfigObject& members_of(const ConfigValue& value, const Place& place) {
  const auto* object = std::get_if<ConfigObject>(&value.data);
  if (object == nullptr)
    fail_at(value, place, fmt::format("found {}, allowed: an object, {{ ... }}", rendering(value)));
  return *object;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
  const auto near = nearest_name(name, names);
  return near ? fmt::format("; did you mean \"{}\"?", *near) : "";
}

Templates::Templates(const ConfigValue* value, const Place& place) : place_(place) {
  if (value == nullptr) return;
  const ConfigObject& templates = members_of(*value, place);
  for (std::size_t i = 0; i < templates.names.size(); ++i) {
    const Place here = place.member(templates.names[i]), with_place = here.member("with");
    Template source;
    source.body = std::make_shared<ConfigValue>();
    source.body->origin = templates.values[i]->origin;
    ConfigObject members = members_of(*templates.values[i], here);
    if (const std::size_t* nested = members.find("template")) {
      fail_at(*members.values[*nested], here.member("template"), "a template cannot be made from another");
    }
    const ConfigValuePtr with = take_member(members, "with");
    source.body->data = std::move(members);
    add_mentions(*source.body, source.mentions);
    if (with != nullptr) {
      source.defaults = &members_of(*with, with_place);
      add_mentions(*with, source.mentions);
      for (std::size_t k = 0; k < source.defaults->names.size(); ++k) {
        const std::string& name = source.defaults->names[k];
        if (source.mentions.contains(name) || source.defaults->values[k]->accepted) continue;
        fail_at(*source.defaults->values[k], with_place.member(name),
                fmt::format("the template does not use this: it has no \"${:.60}\"", name));
      }
    }
    all_.emplace(templates.names[i], std::move(source));
  }
}

void Templates::add_free_mentions(std::set<std::string_view>& names) const {
  for (const auto& [name, source] : all_) {
    for (const std::string_view mention : source.mentions) {
      if (source.defaults == nullptr || source.defaults->find(std::string(mention)) == nullptr) names.insert(mention);
    }
  }
}

ConfigValuePtr Templates::instance(const ConfigValuePtr& user, const Place& place, Expander& expander,
                                   int depth) const {
  ConfigObject own = std::get<ConfigObject>(user->data);
  const ConfigValuePtr name_value = take_member(own, "template");
  const ConfigValuePtr with = take_member(own, "with");
  const auto* name = std::get_if<std::string>(&name_value->data);
  const auto found = name == nullptr ? all_.end() : all_.find(*name);
  if (found == all_.end()) {
    std::vector<std::string> known;
    for (const auto& [other, source] : all_) known.push_back(other);
    fail_at(*name_value, place.member("template"),
            fmt::format("found {}, allowed: {}{}", rendering(*name_value), quoted_list(known, "no templates here"),
                        name == nullptr ? "" : did_you_mean(*name, known)));
  }
  const Template& source = found->second;
  const Place body_place = place_.member(found->first);
  Names names;
  names.defaults = source.defaults;
  names.defaults_place = body_place.member("with");
  names.user = fmt::format(" (the template of {})", path_of(place));
  if (with != nullptr) {
    const Place with_place = place.member("with");
    names.given = &members_of(*with, with_place);
    check_given(*names.given, source, with_place);
  }
  const ConfigValuePtr body = expander.expand(*source.body, body_place, names, depth);

  // What the template has, though not with these values, can be removed as well.
  const auto& written = std::get<ConfigObject>(source.body->data);
  const auto& present = std::get<ConfigObject>(body->data);
  auto over = std::make_shared<ConfigValue>();
  over->origin = user->origin;
  ConfigObject changes;
  for (std::size_t i = 0; i < own.names.size(); ++i) {
    const bool gone =
        is_null(*own.values[i]) && written.find(own.names[i]) != nullptr && present.find(own.names[i]) == nullptr;
    if (!gone) changes.add(own.names[i], own.values[i]);
  }
  over->data = std::move(changes);
  return merged(body, over, place, [](const Place&) { return false; });
}

void Templates::check_given(const ConfigObject& given, const Template& source, const Place& place) const {
  for (std::size_t i = 0; i < given.names.size(); ++i) {
    if (source.mentions.contains(given.names[i])) continue;
    const std::vector<std::string> known = list_of(source.mentions);
    fail_at(*given.values[i], place.member(given.names[i]),
            fmt::format("the template does not use this, allowed: {}{}", quoted_list(known, "no values"),
                        did_you_mean(given.names[i], known)));
  }
}

}  // namespace chiasm::detail
