// SPDX-License-Identifier: Apache-2.0
#include "engine/config/merge.h"

#include <fmt/format.h>

#include "engine/config/spelling.h"

namespace chiasm::detail {

ConfigValuePtr merged(const ConfigValuePtr& base, const ConfigValuePtr& over, const Place& place,
                      const std::function<bool(const Place&)>& keeps_null) {
  const auto* changes = std::get_if<ConfigObject>(&over->data);
  if (changes == nullptr) return over;
  static const ConfigObject kEmpty;
  const auto* below = std::get_if<ConfigObject>(&base->data);
  if (below == nullptr) below = &kEmpty;
  const bool nulls_are_values = keeps_null(place);

  ConfigObject object;
  for (std::size_t i = 0; i < changes->names.size(); ++i) {
    const std::string& name = changes->names[i];
    const ConfigValuePtr& value = changes->values[i];
    const std::size_t* index = below->find(name);
    const Place here = place.member(name);
    const bool is_null = std::holds_alternative<std::monostate>(value->data);
    if (is_null && nulls_are_values) {
      // The base may be all that used it, where something else replaces that now.
      auto null = std::make_shared<ConfigValue>(*value);
      null->accepted = index != nullptr;
      object.add(name, std::move(null));
      continue;
    }
    if (is_null) {
      if (index != nullptr) continue;
      const auto near = nearest_name(name, below->names);
      fail_at(*value, here,
              "null removes a member of what this extends, which has none of this name" +
                  (near ? fmt::format("; did you mean \"{}\"?", *near) : std::string()));
    }
    static const ConfigValuePtr kNothing = std::make_shared<ConfigValue>();
    object.add(name, merged(index == nullptr ? kNothing : below->values[*index], value, here, keeps_null));
  }
  for (std::size_t i = 0; i < below->names.size(); ++i) {
    if (changes->find(below->names[i]) == nullptr) object.add(below->names[i], below->values[i]);
  }
  auto result = std::make_shared<ConfigValue>();
  result->origin = over->origin;
  result->data = std::move(object);
  return result;
}

}  // namespace chiasm::detail
