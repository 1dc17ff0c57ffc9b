// SPDX-License-Identifier: Apache-2.0
// The getters of ConfigNode that only combine others: lists of one type, and defaults.
#include <utility>

#include "engine/config/config.h"

namespace chiasm {

std::vector<std::int64_t> ConfigNode::integers(std::string_view key, IntegerRange range, ListSize size) const {
  std::vector<std::int64_t> values;
  for (const ConfigNode& item : list(key, size)) values.push_back(item.as_integer(range));
  return values;
}

std::vector<double> ConfigNode::reals(std::string_view key, RealRange range, ListSize size) const {
  std::vector<double> values;
  for (const ConfigNode& item : list(key, size)) values.push_back(item.as_real(range));
  return values;
}

std::vector<std::string> ConfigNode::texts(std::string_view key, ListSize size) const {
  std::vector<std::string> values;
  for (const ConfigNode& item : list(key, size)) values.push_back(item.as_text());
  return values;
}

std::vector<ConfigNode> ConfigNode::objects(std::string_view key, ListSize size) const {
  std::vector<ConfigNode> items = list(key, size);
  for (const ConfigNode& item : items) item.as_object();
  return items;
}

std::int64_t ConfigNode::integer_or(std::string_view key, std::int64_t absent, IntegerRange range) const {
  return has(key) ? integer(key, range) : absent;
}

double ConfigNode::real_or(std::string_view key, double absent, RealRange range) const {
  return has(key) ? real(key, range) : absent;
}

bool ConfigNode::boolean_or(std::string_view key, bool absent) const { return has(key) ? boolean(key) : absent; }

std::string ConfigNode::text_or(std::string_view key, std::string absent) const {
  return has(key) ? text(key) : std::move(absent);
}

std::string ConfigNode::choice_or(std::string_view key, std::string absent,
                                  std::initializer_list<std::string_view> allowed) const {
  return has(key) ? choice(key, allowed) : std::move(absent);
}

std::string ConfigNode::choice_or(std::string_view key, std::string absent,
                                  const std::vector<std::string>& allowed) const {
  return has(key) ? choice(key, allowed) : std::move(absent);
}

std::vector<std::int64_t> ConfigNode::integers_or(std::string_view key, std::vector<std::int64_t> absent,
                                                  IntegerRange range, ListSize size) const {
  return has(key) ? integers(key, range, size) : std::move(absent);
}

std::vector<double> ConfigNode::reals_or(std::string_view key, std::vector<double> absent, RealRange range,
                                         ListSize size) const {
  return has(key) ? reals(key, range, size) : std::move(absent);
}

std::vector<std::string> ConfigNode::texts_or(std::string_view key, std::vector<std::string> absent,
                                              ListSize size) const {
  return has(key) ? texts(key, size) : std::move(absent);
}

std::vector<ConfigNode> ConfigNode::objects_or_none(std::string_view key, ListSize size) const {
  return has(key) ? objects(key, size) : std::vector<ConfigNode>{};
}

}  // namespace chiasm
