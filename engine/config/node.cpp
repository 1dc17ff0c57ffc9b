// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "engine/config/config.h"
#include "engine/config/message.h"
#include "engine/config/spelling.h"
#include "engine/config/value.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using detail::ConfigList;
using detail::ConfigObject;
using detail::ConfigValue;
using detail::quoted_list;
using detail::rendering;

std::string words(IntegerRange range) {
  const IntegerRange all;
  if (range.min == all.min && range.max == all.max) return "an integer";
  if (range.max == all.max) return fmt::format("an integer, at least {}", range.min);
  if (range.min == all.min) return fmt::format("an integer, at most {}", range.max);
  return fmt::format("an integer from {} to {}", range.min, range.max);
}

std::string words(RealRange range) {
  const RealRange all;
  const std::string low = fmt::format("{} {}", range.open_min ? "greater than" : "at least", range.min);
  const std::string high = fmt::format("{} {}", range.open_max ? "less than" : "at most", range.max);
  if (range.min == all.min && range.max == all.max) return "a number";
  if (range.max == all.max) return "a number " + low;
  if (range.min == all.min) return "a number " + high;
  if (!range.open_min && !range.open_max) return fmt::format("a number from {} to {}", range.min, range.max);
  return "a number " + low + " and " + high;
}

std::string words(ListSize size) {
  if (size.min == size.max) return fmt::format("a list of {} items", size.min);
  if (size.min == 0 && size.max == ListSize{}.max) return "a list";
  if (size.max == ListSize{}.max) return fmt::format("a list of at least {} items", size.min);
  return fmt::format("a list of {} to {} items", size.min, size.max);
}

}  // namespace

ConfigNode::ConfigNode(std::shared_ptr<ConfigValue> value, std::string path, std::shared_ptr<const std::string> origin)
    : value_(std::move(value)), path_(std::move(path)), origin_(std::move(origin)) {
  if (value_->origin != nullptr) origin_ = value_->origin;
}

bool ConfigNode::is_null() const { return std::holds_alternative<std::monostate>(value_->data); }
bool ConfigNode::is_boolean() const { return std::holds_alternative<bool>(value_->data); }
bool ConfigNode::is_integer() const { return std::holds_alternative<std::int64_t>(value_->data); }
bool ConfigNode::is_number() const { return is_integer() || std::holds_alternative<double>(value_->data); }
bool ConfigNode::is_text() const { return std::holds_alternative<std::string>(value_->data); }
bool ConfigNode::is_list() const { return std::holds_alternative<ConfigList>(value_->data); }
bool ConfigNode::is_object() const { return std::holds_alternative<ConfigObject>(value_->data); }

void ConfigNode::fail(const std::string& allowed) const {
  throw FileError(*origin_, path_, fmt::format("found {}, allowed: {}", rendering(*value_), allowed));
}

void ConfigNode::fail_because(const std::string& message) const { throw FileError(*origin_, path_, message); }

std::int64_t ConfigNode::as_integer(IntegerRange range) const {
  const auto* number = std::get_if<std::int64_t>(&value_->data);
  if (number == nullptr || *number < range.min || *number > range.max) fail(words(range));
  return *number;
}

double ConfigNode::as_real(RealRange range) const {
  if (!is_number()) fail(words(range));
  const auto* integer = std::get_if<std::int64_t>(&value_->data);
  const double number = integer != nullptr ? static_cast<double>(*integer) : std::get<double>(value_->data);
  const bool above = range.open_min ? number > range.min : number >= range.min;
  const bool below = range.open_max ? number < range.max : number <= range.max;
  if (!above || !below) fail(words(range));
  return number;
}

bool ConfigNode::as_boolean() const {
  if (!is_boolean()) fail("true or false");
  return std::get<bool>(value_->data);
}

std::string ConfigNode::as_text() const {
  if (!is_text()) fail("a text in quotes");
  return std::get<std::string>(value_->data);
}

std::string ConfigNode::as_choice(std::initializer_list<std::string_view> allowed) const {
  return as_choice(std::vector<std::string>(allowed.begin(), allowed.end()));
}

std::string ConfigNode::as_choice(const std::vector<std::string>& allowed) const {
  const auto* text = std::get_if<std::string>(&value_->data);
  if (text != nullptr && std::find(allowed.begin(), allowed.end(), *text) != allowed.end()) return *text;
  const auto near = text == nullptr ? std::nullopt : nearest_name(*text, allowed);
  fail(quoted_list(allowed) + (near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
}

std::vector<ConfigNode> ConfigNode::as_list(ListSize size) const {
  const auto* list = std::get_if<ConfigList>(&value_->data);
  if (list == nullptr) fail(words(size));
  const std::size_t count = list->items.size();
  if (count < size.min || count > size.max)
    fail_because(fmt::format("found {} items, allowed: {}", count, words(size)));
  std::vector<ConfigNode> items;
  items.reserve(count);
  for (std::size_t i = 0; i < count; ++i) items.push_back(child(i));
  return items;
}

const ConfigNode& ConfigNode::as_object() const {
  if (!is_object()) fail("an object, { ... }");
  return *this;
}

ConfigNode ConfigNode::child(std::size_t index) const {
  if (const auto* list = std::get_if<ConfigList>(&value_->data)) {
    return ConfigNode(list->items[index], fmt::format("{}[{}]", path_, index), origin_);
  }
  const auto& object = std::get<ConfigObject>(value_->data);
  return ConfigNode(object.values[index], where(object.names[index]), origin_);
}

std::string ConfigNode::where(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

std::optional<ConfigNode> ConfigNode::find(std::string_view key) const {
  as_object();
  auto& object = std::get<ConfigObject>(value_->data);
  const std::size_t* index = object.find(std::string(key));
  if (index == nullptr) {
    object.note_absent(key);
    return std::nullopt;
  }
  object.asked[*index] = true;
  return child(*index);
}

bool ConfigNode::has(std::string_view key) const { return find(key).has_value(); }

ConfigNode ConfigNode::at(std::string_view key) const {
  if (auto found = find(key)) return *std::move(found);
  // The key may be there, misspelt.
  const auto& object = std::get<ConfigObject>(value_->data);
  std::vector<std::string> unread;
  for (std::size_t i = 0; i < object.names.size(); ++i) {
    if (!object.asked[i]) unread.push_back(object.names[i]);
  }
  const auto near = nearest_name(key, unread);
  throw FileError(*origin_, where(key),
                  "this key is required and missing" +
                      (near ? fmt::format("; is \"{}\" a misspelling of it?", *near) : std::string()));
}

std::vector<std::string> ConfigNode::keys() const {
  as_object();
  auto& object = std::get<ConfigObject>(value_->data);
  object.asked.assign(object.asked.size(), true);
  return object.names;
}

void ConfigNode::accept_all() const { value_->accepted = true; }

void ConfigNode::finish() const {
  if (value_->accepted) return;
  if (const auto* list = std::get_if<ConfigList>(&value_->data)) {
    for (std::size_t i = 0; i < list->items.size(); ++i) child(i).finish();
  }
  const auto* object = std::get_if<ConfigObject>(&value_->data);
  if (object == nullptr) return;
  for (std::size_t i = 0; i < object->names.size(); ++i) {
    if (object->asked[i]) {
      child(i).finish();
      continue;
    }
    std::vector<std::string> allowed;
    for (std::size_t j = 0; j < object->names.size(); ++j) {
      if (object->asked[j]) allowed.push_back(object->names[j]);
    }
    // A key that is missing is likelier to be meant than one that is there already.
    std::vector<std::string> candidates = object->asked_absent;
    candidates.insert(candidates.end(), allowed.begin(), allowed.end());
    const auto near = nearest_name(object->names[i], candidates);
    allowed.insert(allowed.end(), object->asked_absent.begin(), object->asked_absent.end());
    std::sort(allowed.begin(), allowed.end());
    child(i).fail_because("unknown key, allowed here: " + quoted_list(allowed) +
                          (near ? fmt::format("; did you mean \"{}\"?", *near) : std::string()));
  }
}

}  // namespace chiasm
