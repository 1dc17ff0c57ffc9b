// SPDX-License-Identifier: Apache-2.0
#include "engine/config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <utility>
#include <variant>

#include "engine/config/value.h"
#include "engine/io/utf8.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using detail::ConfigList;
using detail::ConfigObject;
using detail::ConfigValue;
using detail::ConfigValuePtr;

// One step of a path: a key of an object, or an index of a list.
using Step = std::variant<std::string, std::size_t>;

constexpr std::string_view kPathForm = "a path such as model.layers[2].kernel";

[[noreturn]] void fail_at(std::string_view path, const std::string& what) {
  throw FileError("--set", std::string(path), what);
}

std::size_t index_in(std::string_view path, std::string_view digits) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    fail_at(path, fmt::format("found the index [{}], allowed: [0], [1], [2] ...", digits));
  }
  return index;
}

std::vector<Step> steps_of(std::string_view path) {
  std::vector<Step> steps;
  std::size_t at = 0;
  while (true) {
    const std::size_t end = std::min(path.find_first_of(".[", at), path.size());
    if (end == at) fail_at(path, "found an empty name, allowed: " + std::string(kPathForm));
    steps.emplace_back(std::string(path.substr(at, end - at)));
    at = end;
    while (at < path.size() && path[at] == '[') {
      const std::size_t close = path.find(']', at);
      if (close == path.npos) fail_at(path, "found [ without ], allowed: " + std::string(kPathForm));
      steps.emplace_back(index_in(path, path.substr(at + 1, close - at - 1)));
      at = close + 1;
    }
    if (at == path.size()) break;
    if (path[at] != '.') fail_at(path, "found text after ], allowed: " + std::string(kPathForm));
    ++at;
  }
  if (steps.size() > Config::kMaxDepth) {
    fail_at(path, fmt::format("nested deeper than {} lists and objects", Config::kMaxDepth));
  }
  return steps;
}

ConfigValuePtr value_of(decltype(ConfigValue::data) data) {
  auto value = std::make_shared<ConfigValue>();
  value->data = std::move(data);
  return value;
}

ConfigValuePtr& item_of(ConfigValue& parent, std::size_t index, std::string_view path) {
  auto* list = std::get_if<ConfigList>(&parent.data);
  if (list == nullptr) fail_at(path, fmt::format("[{}] is used on something that is not a list", index));
  if (index >= list->items.size()) {
    fail_at(path,
            fmt::format("found the index [{}], allowed: an item of the list, which has {}", index, list->items.size()));
  }
  return list->items[index];
}

// The place that a path leads to. Missing members on the way become objects, but only once nothing can fail any more.
ConfigValuePtr& place_of(ConfigValuePtr& root, const std::vector<Step>& steps, std::string_view path) {
  ConfigValuePtr* place = &root;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* index = std::get_if<std::size_t>(&steps[i])) {
      place = &item_of(**place, *index, path);
      continue;
    }
    const auto& name = std::get<std::string>(steps[i]);
    auto* object = std::get_if<ConfigObject>(&(*place)->data);
    if (object == nullptr) fail_at(path, fmt::format("\"{}\" is looked for in something that is not an object", name));
    if (object->find(name) == nullptr) {
      const auto is_index = [](const Step& step) { return std::holds_alternative<std::size_t>(step); };
      if (std::any_of(steps.begin() + static_cast<std::ptrdiff_t>(i), steps.end(), is_index)) {
        fail_at(path, fmt::format("there is no \"{}\" here, so no list in it", name));
      }
      object->add(name, value_of(ConfigObject{}));
    }
    place = &object->values[*object->find(name)];
  }
  return *place;
}

}  // namespace

Config::Config(ConfigValuePtr root, std::string origin)
    : root_(std::move(root)), origin_(std::make_shared<const std::string>(std::move(origin))) {}

Config Config::load(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw FileError(path, "", "is a folder, allowed: a JSON file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(path, "", "cannot be opened: no such file, or no permission to read it");
  std::string text(kMaxBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw FileError(path, "", "cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse(text, path);
}

Config Config::parse(std::string_view text, std::string origin) {
  if (text.size() > kMaxBytes) {
    throw FileError(origin, "", fmt::format("larger than the limit of {} MiB", kMaxBytes >> 20));
  }
  if (const std::string other = other_encoding(text); !other.empty()) throw FileError(origin, "", other);
  ConfigValuePtr root = detail::parse_json(text, origin, kMaxDepth);
  if (!std::holds_alternative<ConfigObject>(root->data)) {
    throw FileError(origin, "", "allowed at the top: an object, { ... }");
  }
  return Config(std::move(root), std::move(origin));
}

Config Config::empty(std::string origin) { return Config(value_of(ConfigObject{}), std::move(origin)); }

ConfigNode Config::root() const { return ConfigNode(root_, "", origin_); }

Config Config::clone() const { return Config(detail::copy_of(*root_), *origin_); }

void Config::set(std::string_view path, std::string_view text) {
  const std::string origin = fmt::format("--set {}", path);
  if (text.size() > kMaxBytes) {
    throw FileError(origin, "", fmt::format("larger than the limit of {} MiB", kMaxBytes >> 20));
  }
  ConfigValuePtr value;
  if (detail::is_json(text)) {
    value = detail::parse_json(text, origin, kMaxDepth);
  } else {
    value = value_of(std::string(text));
  }
  value->origin = std::make_shared<const std::string>(origin);
  put(path, std::move(value));
}

void Config::assign(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == assignment.npos || equals == 0) {
    throw FileError("--set", "",
                    fmt::format("found \"{}\", allowed: path=value, such as training.epochs=3", assignment));
  }
  set(assignment.substr(0, equals), assignment.substr(equals + 1));
}

void Config::set_integer(std::string_view path, std::int64_t value) { put(path, value_of(value)); }

void Config::set_real(std::string_view path, double value) {
  if (!std::isfinite(value)) throw InputError(std::string(path) + ": JSON has no infinite and no undefined numbers");
  put(path, value_of(value));
}

void Config::set_boolean(std::string_view path, bool value) { put(path, value_of(value)); }

void Config::set_text(std::string_view path, std::string value) { put(path, value_of(std::move(value))); }

std::string Config::dump(int indent) const { return detail::dump_json(*root_, indent); }

void Config::put(std::string_view path, ConfigValuePtr value) {
  const std::vector<Step> steps = steps_of(path);
  if (static_cast<int>(steps.size()) + detail::depth_of(*value) > kMaxDepth) {
    fail_at(path, fmt::format("nested deeper than {} lists and objects", kMaxDepth));
  }
  place_of(root_, steps, path) = std::move(value);
}

}  // namespace chiasm
