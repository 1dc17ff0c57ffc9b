// SPDX-License-Identifier: Apache-2.0
#include "engine/config/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/config/composition.h"
#include "engine/config/spelling.h"

namespace chiasm::detail {
namespace {

enum class Use { kNone, kValue, kItems };

struct Reference {
  Use use = Use::kNone;
  std::string_view name;
};

constexpr std::string_view kSplice = "...";

// "$x" is the value x and "...$x" its items; with two dollar signs it is a text.
Reference reference_in(std::string_view text) {
  const bool items = text.starts_with("...$");
  if (items) text.remove_prefix(kSplice.size());
  if (!text.starts_with('$') || text.starts_with("$$")) return {};
  return {items ? Use::kItems : Use::kValue, text.substr(1)};
}

Reference reference_in(const ConfigValue& value) {
  const auto* text = std::get_if<std::string>(&value.data);
  return text == nullptr ? Reference{} : reference_in(*text);
}

std::string unescaped(const std::string& text) {
  if (text.starts_with("$$")) return text.substr(1);
  if (text.starts_with("...$$")) return std::string(kSplice) + text.substr(4);
  return text;
}

bool is_null(const ConfigValue& value) { return std::holds_alternative<std::monostate>(value.data); }

ConfigValuePtr make_value(const std::shared_ptr<const std::string>& origin, decltype(ConfigValue::data) data) {
  auto result = std::make_shared<ConfigValue>();
  result->origin = origin;
  result->data = std::move(data);
  return result;
}

const ConfigValue* find_member(const ConfigObject* object, const std::string& name) {
  const std::size_t* index = object == nullptr ? nullptr : object->find(name);
  return index == nullptr ? nullptr : object->values[*index].get();
}

// The value is used in a template, or not: then `names` has nothing to say.
[[noreturn]] void fail_in(const Names& names, const ConfigValue& value, const Place& place,
                          const std::string& message) {
  fail_at(value, place, message + names.user);
}

}  // namespace

std::string escaped(const std::string& text) {
  if (text.starts_with("$")) return "$" + text;
  if (text.starts_with("...$")) return "...$" + text.substr(kSplice.size());
  return text;
}

void add_mentions(const ConfigValue& value, std::set<std::string_view>& names) {
  if (const Reference reference = reference_in(value); reference.use != Use::kNone) names.insert(reference.name);
  if (const auto* list = std::get_if<ConfigList>(&value.data)) {
    for (const ConfigValuePtr& item : list->items) add_mentions(*item, names);
  } else if (const auto* object = std::get_if<ConfigObject>(&value.data)) {
    for (const ConfigValuePtr& member : object->values) add_mentions(*member, names);
  }
}

ConfigValuePtr Expander::expand(const ConfigValue& value, const Place& place, const Names& names, int depth,
                                bool keep_null) {
  count_value(value, place, depth);
  const Reference reference = reference_in(value);
  if (reference.use == Use::kValue) return refer(reference.name, value, place, names, depth);
  if (reference.use == Use::kItems) {
    fail_in(names, value, place,
            fmt::format("found {}, which stands for the items of a list, allowed here: one value, such as \"${:.60}\"",
                        rendering(value), reference.name));
  }
  if (const auto* list = std::get_if<ConfigList>(&value.data)) {
    return make_value(value.origin, expand_items(*list, place, names, depth));
  }
  if (const auto* object = std::get_if<ConfigObject>(&value.data)) {
    return make_value(value.origin, expand_members(*object, place, names, depth, keep_null));
  }
  if (const auto* text = std::get_if<std::string>(&value.data)) return make_value(value.origin, unescaped(*text));
  return make_value(value.origin, value.data);
}

ConfigList Expander::expand_items(const ConfigList& list, const Place& place, const Names& names, int depth) {
  ConfigList result;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const ConfigValue& item = *list.items[i];
    const Place here = place.item(i);
    const Reference reference = reference_in(item);
    if (reference.use != Use::kItems) {
      result.items.push_back(expand(item, here, names, depth + 1));
      if (reference.use == Use::kValue && is_null(*result.items.back())) {
        fail_in(
            names, item, here,
            fmt::format("{} is null, which a list has no place for; \"...${:.60}\" adds the items of a list, or none "
                        "for null",
                        rendering(item), reference.name));
      }
      continue;
    }
    count_value(item, here, depth);
    // The items take the place of this one, so they are as deep as it.
    const ConfigValuePtr spliced = refer(reference.name, item, here, names, depth);
    auto* more = std::get_if<ConfigList>(&spliced->data);
    if (more != nullptr) {
      std::move(more->items.begin(), more->items.end(), std::back_inserter(result.items));
    } else if (!is_null(*spliced)) {
      fail_in(names, item, here, fmt::format("{} is {}, allowed: a list", rendering(item), rendering(*spliced)));
    }
  }
  return result;
}

ConfigObject Expander::expand_members(const ConfigObject& object, const Place& place, const Names& names, int depth,
                                      bool keep_null) {
  ConfigObject result;
  for (std::size_t i = 0; i < object.names.size(); ++i) {
    const ConfigValue& member = *object.values[i];
    const bool gives_names = object.names[i] == "with" && object.find("template") != nullptr;
    ConfigValuePtr value = expand(member, place.member(object.names[i]), names, depth + 1, gives_names);
    if (!keep_null && is_null(*value) && !is_null(member)) continue;
    count_bytes(member, place, object.names[i].size());
    result.add(object.names[i], std::move(value));
  }
  return result;
}

ConfigValuePtr Expander::refer(std::string_view name, const ConfigValue& at, const Place& place, const Names& names,
                               int depth) {
  const std::string key(name);
  if (const ConfigValue* given = find_member(names.given, key)) return copy(*given, place, depth);
  if (const ConfigValue* value = find_member(names.defaults, key)) {
    return follow(*value, names.defaults_place.member(name), at, place, names, depth);
  }
  if (const ConfigValue* value = find_member(definitions_, key)) {
    const Place top, define = top.member("define");
    return follow(*value, define.member(name), at, place, Names{}, depth);
  }
  std::set<std::string> known;
  for (const ConfigObject* object : {names.given, names.defaults, definitions_}) {
    if (object != nullptr) known.insert(object->names.begin(), object->names.end());
  }
  const std::vector<std::string> list(known.begin(), known.end());
  const auto near = nearest_name(name, list);
  fail_in(names, at, place,
          fmt::format("found {}, and no such name is defined, allowed: {}{}; a text that begins with a dollar sign is "
                      "written with two of them",
                      rendering(at), quoted_list(list, "no names here"),
                      near ? fmt::format("; did you mean \"${}\"?", *near) : ""));
}

ConfigValuePtr Expander::follow(const ConfigValue& value, const Place& value_place, const ConfigValue& at,
                                const Place& place, const Names& names, int depth) {
  const auto same = [&](const Step& step) { return step.value == &value; };
  if (const auto first = std::find_if(open_.begin(), open_.end(), same); first != open_.end()) {
    std::string circle;
    for (auto step = first; step != open_.end(); ++step) circle += fmt::format("\"${:.60}\" -> ", step->name);
    fail_in(names, at, place, fmt::format("a definition uses itself: {}\"${:.60}\"", circle, value_place.name));
  }
  if (static_cast<int>(open_.size()) >= Config::kMaxDepth) {
    fail_in(names, at, place, fmt::format("definitions use each other more than {} deep", Config::kMaxDepth));
  }
  open_.push_back({&value, value_place.name});
  ConfigValuePtr result = expand(value, value_place, names, depth);
  open_.pop_back();
  return result;
}

ConfigValuePtr Expander::copy(const ConfigValue& value, const Place& place, int depth) {
  count_value(value, place, depth);
  if (const auto* list = std::get_if<ConfigList>(&value.data)) {
    ConfigList result;
    for (const ConfigValuePtr& item : list->items) result.items.push_back(copy(*item, place, depth + 1));
    return make_value(value.origin, std::move(result));
  }
  if (const auto* object = std::get_if<ConfigObject>(&value.data)) {
    ConfigObject result;
    for (std::size_t i = 0; i < object->names.size(); ++i) {
      count_bytes(value, place, object->names[i].size());
      result.add(object->names[i], copy(*object->values[i], place, depth + 1));
    }
    return make_value(value.origin, std::move(result));
  }
  return make_value(value.origin, value.data);
}

void Expander::count_value(const ConfigValue& value, const Place& place, int depth) {
  if (++values_ > kMaxComposedValues) {
    fail_at(value, place, fmt::format("with its definitions replaced, this has more than {} values", values_ - 1));
  }
  if (const auto* text = std::get_if<std::string>(&value.data)) count_bytes(value, place, text->size());
  const bool nests = std::holds_alternative<ConfigList>(value.data) || std::holds_alternative<ConfigObject>(value.data);
  if (nests && depth >= Config::kMaxDepth) {
    fail_at(value, place, fmt::format("nested deeper than {} lists and objects", Config::kMaxDepth));
  }
}
void Expander::count_bytes(const ConfigValue& value, const Place& place, std::size_t bytes) {
  bytes_ += bytes;
  if (bytes_ > Config::kMaxBytes) {
    fail_at(value, place,
            fmt::format("with its definitions replaced, this has more than {} MiB of texts", Config::kMaxBytes >> 20));
  }
}

}  // namespace chiasm::detail
