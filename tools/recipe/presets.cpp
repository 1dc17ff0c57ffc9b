// SPDX-License-Identifier: Apache-2.0
#include "tools/recipe/presets.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "learning_rules/learning_rule.h"
#include "tools/recipe/library.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kKey = "learning_rule";

Preset read_preset(const fs::path& path) {
  const Config config = Config::load(path.string());
  const ConfigNode root = config.root();
  Preset preset{.name = path.stem().string(),
                .path = path.string(),
                .title = root.text("title"),
                .published = root.text("published"),
                .defaults = root.text("defaults"),
                .rule_json = {}};
  root.object(kKey).accept_all();
  root.finish();
  preset.rule_json = Json::parse(config.dump(-1)).at(kKey).dump();
  return preset;
}

const Preset& find_preset(const std::vector<Preset>& presets, const ConfigNode& node) {
  std::vector<std::string> names;
  for (const Preset& preset : presets) names.push_back(preset.name);
  const std::string name = node.as_choice(names);
  return *std::ranges::find(presets, name, &Preset::name);
}

}  // namespace

std::vector<Preset> all_presets() {
  std::vector<std::string> folders;
  for (const std::string& folder : recipe_folders()) folders.push_back(folder + "/presets");
  folders.emplace_back(CHIASM_SOURCE_PRESETS);
  std::map<std::string, Preset> by_name;
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".json" || by_name.contains(path.stem().string())) continue;
      by_name.emplace(path.stem().string(), read_preset(path));
    }
  }
  std::vector<Preset> presets;
  for (auto& [name, preset] : by_name) presets.push_back(std::move(preset));
  return presets;
}

std::string rule_override(const Config& recipe, const std::string& name) {
  const ConfigNode root = recipe.root();
  const bool keeps = find_rule(name) != nullptr && root.has(kKey) && root.at(kKey).is_object();
  return std::string(kKey) + (keeps ? ".rule" : "") + "=\"" + name + "\"";
}

void expand_preset(Config& recipe) {
  const ConfigNode root = recipe.root();
  if (!root.has(kKey)) return;
  const ConfigNode node = root.at(kKey);
  if (node.is_text()) {
    if (find_rule(node.as_text()) != nullptr) return;
    const std::vector<Preset> presets = all_presets();
    const bool known = std::ranges::any_of(presets, [&](const Preset& p) { return p.name == node.as_text(); });
    if (!known) {
      std::vector<std::string> names;
      for (const NamedRule* named : all_rules()) names.push_back(named->rule.name);
      for (const Preset& preset : presets) names.push_back(preset.name);
      node.as_choice(names);  // throws, naming them
    }
    recipe.set(kKey, find_preset(presets, node).rule_json);
    return;
  }
  if (!node.is_object() || !node.has("preset")) return;
  const std::vector<Preset> presets = all_presets();
  Json rule = Json::parse(find_preset(presets, node.at("preset")).rule_json);
  Json own = Json::parse(recipe.dump(-1)).at(kKey);
  own.erase("preset");
  rule.merge_patch(own);
  recipe.set(kKey, rule.dump());
}

}  // namespace chiasm
