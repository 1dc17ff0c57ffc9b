// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/pass.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace chiasm {

const std::vector<Pass>& all_passes() {
  static const std::vector<Pass> passes{
      {"prune", prune, true},
      {"share", share, true},
      {"hoist", hoist, true},
      {"batch_time", batch_time},
      {"fuse_pointwise", fuse_pointwise},
  };
  return passes;
}

namespace {

// Passes of the program as a whole, which are no functions from graph to graph.
constexpr std::array kProgramPasses{kRematerialise, kPlanMemory};

// The names in a list that is neither "all" nor "none".
std::vector<std::string_view> read_names(std::string_view list) {
  std::vector<std::string_view> names;
  while (true) {
    const std::size_t comma = list.find(',');
    names.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  std::vector<std::string_view> known(kProgramPasses.begin(), kProgramPasses.end());
  for (const Pass& pass : all_passes()) known.insert(known.end() - std::ssize(kProgramPasses), pass.name);
  for (std::string_view name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string allowed = "all, none";
    for (std::string_view other : known) allowed += ", " + std::string(other);
    throw InputError("unknown pass \"" + std::string(name) + "\"; allowed: " + allowed);
  }
  return names;
}

}  // namespace

bool selects(std::string_view list, std::string_view pass) {
  if (list == "all") return true;
  if (list == "none") return false;
  const std::vector<std::string_view> names = read_names(list);
  return std::find(names.begin(), names.end(), pass) != names.end();
}

std::vector<Pass> select_passes(std::string_view list) {
  std::vector<Pass> selected;
  for (const Pass& pass : all_passes()) {
    if (selects(list, pass.name)) selected.push_back(pass);
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
