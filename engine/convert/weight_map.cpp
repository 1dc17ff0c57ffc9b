// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/weight_map.h"

#include <algorithm>

#include "kernels/error.h"

namespace chiasm {
namespace {

Relayout::Source read_layout(const ConfigNode& node, Relayout::Source absent) {
  if (!node.has("layout")) return absent;
  return node.choice("layout", {"torch", "tensorflow"}) == "torch" ? Relayout::Source::kTorch
                                                                   : Relayout::Source::kTensorflow;
}

NamePattern read_pattern(const ConfigNode& node, bool allow_star) {
  try {
    return NamePattern(node.as_text(), allow_star);
  } catch (const FileError&) {
    throw;
  } catch (const InputError& error) {
    node.fail_because(error.what());
  }
}

WeightRule read_rule(const ConfigNode& node, const NameTables& tables, Relayout::Source layout) {
  NamePattern source = read_pattern(node.at("source"), false);
  const ConfigNode target_node = node.at("target");
  const std::string target_text = target_node.as_text();
  Relayout relayout{.source = read_layout(node, layout)};
  relayout.reverse_input_channels = node.boolean_or("reverse_input_channels", false);
  if (node.has("flatten")) relayout.flattened = Shape(node.integers("flatten", {1, 1 << 24}, {3, 3}));
  if (relayout.flattened && relayout.source != Relayout::Source::kTorch) {
    node.fail_because("\"flatten\" is for the layout \"torch\"; the other flattens in the order of chiasm");
  }
  try {
    NameTemplate target(target_text, source, tables);
    return {std::move(source), std::move(target), relayout};
  } catch (const InputError& error) {
    target_node.fail_because(error.what());
  }
}

NameTables read_tables(const ConfigNode& root) {
  NameTables tables;
  if (!root.has("tables")) return tables;
  const ConfigNode node = root.object("tables");
  for (const std::string& name : node.keys()) {
    const ConfigNode table = node.object(name);
    for (const std::string& word : table.keys()) tables[name][word] = table.text(word);
  }
  return tables;
}

}  // namespace

bool WeightMap::ignores(const std::string& source) const {
  return std::ranges::any_of(ignore, [&](const NamePattern& pattern) { return pattern.match(source).has_value(); });
}

std::optional<WeightMap::Match> WeightMap::find(const std::string& source) const {
  for (const WeightRule& rule : rules) {
    const std::optional<Captures> captures = rule.source.match(source);
    if (!captures) continue;
    if (const std::optional<std::string> target = rule.target.fill(*captures, tables)) return Match{&rule, *target};
  }
  return std::nullopt;
}

WeightMap read_weight_map(const Config& config) {
  const ConfigNode root = config.root();
  root.integer("weight_map", {1, 1});  // version of the format
  root.text_or("description", "");
  WeightMap map;
  map.tables = read_tables(root);
  const Relayout::Source layout = read_layout(root, Relayout::Source::kTorch);
  for (const ConfigNode& node : root.objects("rules", {1, 10000})) {
    map.rules.push_back(read_rule(node, map.tables, layout));
  }
  if (root.has("ignore")) {
    for (const ConfigNode& node : root.list("ignore")) map.ignore.push_back(read_pattern(node, true));
  }
  config.finish();
  return map;
}

WeightMap load_weight_map(const std::string& path) { return read_weight_map(Config::load(path)); }

}  // namespace chiasm
