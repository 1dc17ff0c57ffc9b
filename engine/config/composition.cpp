// SPDX-License-Identifier: Apache-2.0
#include "engine/config/composition.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "engine/config/expand.h"
#include "engine/config/merge.h"
#include "engine/config/message.h"
#include "engine/config/references.h"
#include "engine/config/templates.h"
#include "engine/config/value.h"

namespace chiasm {

struct detail::ConfigAccess {
  static const ConfigValuePtr& root(const Config& config) { return config.root_; }
  static const std::string& origin(const Config& config) { return *config.origin_; }
  static Config make(ConfigValuePtr root, std::string origin) { return Config(std::move(root), std::move(origin)); }
};

namespace {

namespace fs = std::filesystem;
using detail::ConfigAccess;
using detail::ConfigList;
using detail::ConfigObject;
using detail::ConfigValue;
using detail::ConfigValuePtr;
using detail::Place;

template <class F>
void for_each_child(const ConfigValue& value, F&& visit) {
  if (const auto* list = std::get_if<ConfigList>(&value.data)) {
    for (const ConfigValuePtr& item : list->items) visit(*item);
  } else if (const auto* object = std::get_if<ConfigObject>(&value.data)) {
    for (const ConfigValuePtr& member : object->values) visit(*member);
  }
}

// Gives every value its origin, so that it keeps it wherever it ends up.
void name_origins(ConfigValue& value, const std::shared_ptr<const std::string>& inherited) {
  if (value.origin == nullptr) value.origin = inherited;
  for_each_child(value, [&](ConfigValue& child) { name_origins(child, value.origin); });
}

ConfigValuePtr with_origins(const Config& config) {
  const ConfigValuePtr& root = ConfigAccess::root(config);
  name_origins(*root, std::make_shared<const std::string>(ConfigAccess::origin(config)));
  return root;
}

void escape_texts(ConfigValue& value) {
  if (auto* text = std::get_if<std::string>(&value.data)) *text = detail::escaped(*text);
  for_each_child(value, escape_texts);
}

// In "define" and in the "with" of a template, a null is a value.
bool keeps_null(const Place& place, const TemplateKeys& keys) {
  const Place* outer = place.outer;
  if (outer == nullptr) return false;
  if (outer->outer == nullptr) return place.name == "define";
  if (place.name != "with" || outer->is_item) return false;
  const Place* templates = outer->outer;
  if (templates->outer == nullptr || templates->name != keys.templates) return false;
  const Place* object = templates->outer;
  return object->outer != nullptr && object->outer->outer == nullptr && object->name == keys.object;
}

// The document and what it extends, merged.
Config with_bases(const Config& document, const TemplateKeys& keys) {
  std::vector<Config> files{document.clone()};
  std::vector<ConfigValuePtr> roots;
  const auto identity = [](const std::string& path) {
    std::error_code ignored;
    return fs::weakly_canonical(path, ignored);
  };
  while (true) {
    const std::string file = ConfigAccess::origin(files.back());
    roots.push_back(with_origins(files.back()));
    const ConfigValuePtr extends = take_member(std::get<ConfigObject>(roots.back()->data), "extends");
    if (extends == nullptr) break;
    const Place top, place = top.member("extends");
    const auto* name = std::get_if<std::string>(&extends->data);
    if (name == nullptr) {
      fail_at(*extends, place, fmt::format("found {}, allowed: the path of a file, in quotes", rendering(*extends)));
    }
    const std::string path = (fs::path(file).parent_path() / *name).lexically_normal().string();
    for (auto earlier = files.begin(); earlier != files.end(); ++earlier) {
      if (identity(ConfigAccess::origin(*earlier)) != identity(path)) continue;
      std::string circle;
      for (auto step = earlier; step != files.end(); ++step) circle += ConfigAccess::origin(*step) + " -> ";
      fail_at(*extends, place, fmt::format("a file extends itself: {}{}", circle, path));
    }
    if (static_cast<int>(files.size()) > kMaxExtends) {
      fail_at(*extends, place, fmt::format("more than {} files that extend one another", kMaxExtends));
    }
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
      fail_at(*extends, place, fmt::format("found {}, and there is no file {:.300}", rendering(*extends), path));
    }
    files.push_back(Config::load(path));
  }
  ConfigValuePtr result = roots.back();
  for (auto over = roots.rbegin() + 1; over != roots.rend(); ++over) {
    result = merged(result, *over, Place{}, [&](const Place& place) { return keeps_null(place, keys); });
  }
  return ConfigAccess::make(std::move(result), ConfigAccess::origin(document));
}

// Whether "define.x=1" or "model.templates.x=1" is about what expansion replaces.
bool is_about_parts(const std::string& assignment, const TemplateKeys& keys) {
  const std::string path = assignment.substr(0, assignment.find('='));
  for (const std::string& place : {std::string("define"), keys.object + "." + keys.templates}) {
    if (path.starts_with(place) && (path.size() == place.size() || path[place.size()] == '.')) return true;
  }
  return false;
}

}  // namespace

Config load_composed(const std::string& path, const TemplateKeys& keys, const std::vector<std::string>& overrides) {
  return compose(Config::load(path), keys, overrides);
}

Config compose(const Config& document, const TemplateKeys& keys, const std::vector<std::string>& overrides) {
  Config parts = with_bases(document, keys);
  std::vector<std::string> of_parts, of_plain;
  for (const std::string& assignment : overrides) {
    (is_about_parts(assignment, keys) ? of_parts : of_plain).push_back(assignment);
  }
  if (!of_parts.empty()) detail::accept_used_names(*ConfigAccess::root(parts), keys);
  for (const std::string& assignment : of_parts) parts.assign(assignment);
  Config plain = ConfigAccess::make(detail::expanded(*with_origins(parts), keys), ConfigAccess::origin(document));
  for (const std::string& assignment : of_plain) plain.assign(assignment);
  return plain;
}

std::string dump_composed(const Config& plain, int indent) {
  const Config copy = plain.clone();
  escape_texts(*ConfigAccess::root(copy));
  return copy.dump(indent);
}

}  // namespace chiasm
