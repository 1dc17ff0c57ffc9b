// SPDX-License-Identifier: Apache-2.0
#include "engine/config/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/error.h"

namespace chiasm::detail {
namespace {

const char* type_name(const ConfigValue& value) {
  static constexpr const char* kNames[] = {"nothing", "a boolean", "an integer", "a real number",
                                           "a text",  "a list",    "an object"};
  return kNames[value.data.index()];
}

}  // namespace

std::string path_of(const Place& place) {
  std::vector<const Place*> steps;
  for (const Place* p = &place; p->outer != nullptr; p = p->outer) steps.push_back(p);
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if ((*step)->is_item) {
      path += fmt::format("[{}]", (*step)->index);
    } else {
      path += fmt::format("{}{}", path.empty() ? "" : ".", (*step)->name);
    }
  }
  return path;
}

void fail_at(const ConfigValue& value, const Place& place, const std::string& message) {
  throw FileError(*value.origin, path_of(place), message);
}

std::string rendering(const ConfigValue& value) {
  constexpr std::size_t kLongest = 60;
  if (std::holds_alternative<ConfigObject>(value.data)) return "an object";
  if (const auto* list = std::get_if<ConfigList>(&value.data); list != nullptr && list->items.size() > 8) {
    return fmt::format("a list of {} items", list->items.size());
  }
  std::string text = dump_json(value, -1);
  if (text.size() > kLongest) {
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a UTF-8 letter
    text = text.substr(0, end) + "...";
  }
  return fmt::format("{} ({})", text, type_name(value));
}

// Hostile files have long lists of long names; a message is for a person.
std::string quoted_list(const std::vector<std::string>& names, const std::string& none) {
  if (names.empty()) return none;
  std::string result;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 40); ++i) {
    result += (i == 0 ? "\"" : ", \"") + names[i].substr(0, 60) + "\"";
  }
  return names.size() > 40 ? result + ", ..." : result;
}

}  // namespace chiasm::detail
