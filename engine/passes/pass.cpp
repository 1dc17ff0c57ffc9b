// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/pass.h"

#include <algorithm>

namespace chiasm {

const std::vector<Pass>& all_passes() {
  static const std::vector<Pass> passes{
      {"prune", prune, true},
      {"share", share, true},
      {"hoist", hoist, true},
      {"batch_time", batch_time},
  };
  return passes;
}

std::vector<Pass> select_passes(std::string_view list) {
  if (list == "all") return all_passes();
  if (list == "none") return {};
  std::vector<std::string_view> wanted;
  while (true) {
    const std::size_t comma = list.find(',');
    wanted.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  std::string known = "all, none";
  for (const Pass& pass : all_passes()) known += ", " + std::string(pass.name);
  for (std::string_view name : wanted) {
    const bool exists =
        std::any_of(all_passes().begin(), all_passes().end(), [&](const Pass& p) { return p.name == name; });
    if (!exists) throw InputError("unknown pass \"" + std::string(name) + "\"; allowed: " + known);
  }
  std::vector<Pass> selected;
  for (const Pass& pass : all_passes()) {
    if (std::find(wanted.begin(), wanted.end(), pass.name) != wanted.end()) selected.push_back(pass);
  }
  return selected;
}

Graph simplify_forward(Graph graph, std::string_view passes) {
  for (const Pass& pass : select_passes(passes)) {
    if (pass.before_gradients) graph = pass.run(graph);
  }
  return graph;
}

}  // namespace chiasm
