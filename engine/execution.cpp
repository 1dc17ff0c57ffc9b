// SPDX-License-Identifier: Apache-2.0
#include "engine/execution.h"

#include <algorithm>
#include <map>

namespace chiasm {

std::unique_ptr<Execution> make_execution(const Graph& graph, const ProgramOptions& options) {
  return options.device.is_cuda() ? make_cuda_execution(graph, options) : make_cpu_execution(graph, options);
}

std::string name_of(const PlannedGraph& planned, const PlannedStep& step) {
  const Node& node = planned.graph.nodes()[step.node];
  return (node.label.empty() ? "" : node.label + ": ") + node.op->name();
}

std::vector<std::pair<std::string, double>> sorted_profile(const std::vector<std::pair<std::string, double>>& steps) {
  std::map<std::string, double> seconds;
  for (const auto& [op, time] : steps) seconds[op] += time;
  std::vector<std::pair<std::string, double>> sorted(seconds.begin(), seconds.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::int64_t touched_bytes(std::span<const std::byte> bytes, std::byte untouched) {
  std::int64_t touched = static_cast<std::int64_t>(bytes.size());
  while (touched > 0 && bytes[static_cast<std::size_t>(touched - 1)] == untouched) --touched;
  return touched;
}

}  // namespace chiasm
