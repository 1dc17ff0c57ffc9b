// SPDX-License-Identifier: Apache-2.0
// The document behind a Config: values, their JSON text, and the note of which keys were asked for. Internal to
// engine/config.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace chiasm::detail {

struct ConfigValue;
using ConfigValuePtr = std::shared_ptr<ConfigValue>;

struct ConfigList {
  std::vector<ConfigValuePtr> items;
};

// Members in file order; `index` finds them in constant time, so that a hostile file cannot make reading quadratic.
struct ConfigObject {
  std::vector<std::string> names;
  std::vector<ConfigValuePtr> values;
  std::vector<bool> asked;
  std::unordered_map<std::string, std::size_t> index;
  std::vector<std::string> asked_absent;

  // Null when there is no such member.
  const std::size_t* find(const std::string& name) const;
  // Appends a member. REQUIRES: there is none of this name.
  void add(std::string name, ConfigValuePtr value);
  void note_absent(std::string_view name);
};

struct ConfigValue {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, ConfigList, ConfigObject> data;
  bool accepted = false;                      // finish() takes this subtree as it is
  std::shared_ptr<const std::string> origin;  // of this subtree where it differs from the document's
};

// Throws FileError as Config::parse says.
ConfigValuePtr parse_json(std::string_view text, const std::string& origin, int max_depth);
bool is_json(std::string_view text);  // syntax only; numbers must fit
std::string dump_json(const ConfigValue& value, int indent);
ConfigValuePtr copy_of(const ConfigValue& value);  // deep, with nothing asked for
int depth_of(const ConfigValue& value);            // 1 for an empty list or object, 0 for anything else

}  // namespace chiasm::detail
