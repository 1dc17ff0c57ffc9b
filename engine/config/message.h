// SPDX-License-Identifier: Apache-2.0
// What messages about a document are made of: places, values and lists of names. Internal to engine/config.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/value.h"

namespace chiasm::detail {

// A member or a list item, and what it is in. A chain on the stack of whoever walks through a document: the dotted path
// is put together for a message only, because names in hostile files are long.
struct Place {
  const Place* outer = nullptr;  // null: the top
  std::string_view name;         // of a member
  std::size_t index = 0;         // of a list item
  bool is_item = false;

  Place member(std::string_view member_name) const { return {this, member_name, 0, false}; }
  Place item(std::size_t item_index) const { return {this, {}, item_index, true}; }
};

std::string path_of(const Place& place);  // "model.layers[2].kernel"; "" at the top

// Throws a FileError about `value`. REQUIRES: it has an origin.
[[noreturn]] void fail_at(const ConfigValue& value, const Place& place, const std::string& message);

// The value as in the file, cut to a readable length, and its type.
std::string rendering(const ConfigValue& value);
// "a", "b", "c": the first 40 of them, cut to a readable length; `none` when there are none.
std::string quoted_list(const std::vector<std::string>& names, const std::string& none = "no key here");

}  // namespace chiasm::detail
