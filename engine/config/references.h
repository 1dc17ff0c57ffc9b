// SPDX-License-Identifier: Apache-2.0
// References of composition.h: the texts "$x" and "...$x" and what they stand for. Internal to engine/config.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/message.h"
#include "engine/config/value.h"

namespace chiasm::detail {

// A text as it is written where "$x" is a reference: "$x" becomes "$$x".
std::string escaped(const std::string& text);

// Adds the names that the references in a value have. The value keeps them.
void add_mentions(const ConfigValue& value, std::set<std::string_view>& names);

// What references mean, innermost first; after these come the definitions.
struct Names {
  const ConfigObject* given = nullptr;     // plain values: the "with" of a user of a template. May be null
  const ConfigObject* defaults = nullptr;  // the "with" of the template. May be null
  Place defaults_place;
  std::string user;  // ends messages: where the template is used
};

// Replaces references. One per document: it counts what it makes, against the limits of composition.h.
class Expander {
 public:
  // `definitions` may be null; it stays with the caller.
  explicit Expander(const ConfigObject* definitions) : definitions_(definitions) {}

  // A copy with every reference replaced and texts unescaped. `depth`: the lists and objects around the value.
  ConfigValuePtr expand(const ConfigValue& value, const Place& place, const Names& names, int depth) {
    return expand(value, place, names, depth, /*keep_null=*/false);
  }

 private:
  struct Step {
    const ConfigValue* value;
    std::string_view name;
  };

  // With `keep_null`, members that become null stay.
  ConfigValuePtr expand(const ConfigValue& value, const Place& place, const Names& names, int depth, bool keep_null);
  ConfigList expand_items(const ConfigList& list, const Place& place, const Names& names, int depth);
  ConfigObject expand_members(const ConfigObject& object, const Place& place, const Names& names, int depth,
                              bool keep_null);
  // What the reference `at` a place stands for.
  ConfigValuePtr refer(std::string_view name, const ConfigValue& at, const Place& place, const Names& names, int depth);
  ConfigValuePtr follow(const ConfigValue& value, const Place& value_place, const ConfigValue& at, const Place& place,
                        const Names& names, int depth);
  ConfigValuePtr copy(const ConfigValue& value, const Place& place, int depth);  // of a value that is plain
  // Every value that is visited counts, also when nothing of it is left in the end.
  void count_value(const ConfigValue& value, const Place& place, int depth);
  void count_bytes(const ConfigValue& value, const Place& place, std::size_t bytes);

  const ConfigObject* definitions_;
  std::vector<Step> open_;  // definitions that are being expanded, outermost first
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace chiasm::detail
