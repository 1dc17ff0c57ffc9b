// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/timestep_label.h"

#include <charconv>

namespace chiasm {

TimestepLabel parse_label(std::string_view label) {
  constexpr std::string_view kMark = " @t";
  const std::size_t mark = label.rfind(kMark);
  if (mark == std::string_view::npos) return {label, {}};
  TimestepLabel result{label.substr(0, mark), {}};
  const char* at = label.data() + mark + kMark.size();
  const char* const end = label.data() + label.size();
  while (at < end) {
    int step = 0;
    const auto [rest, error] = std::from_chars(at, end, step);
    if (error != std::errc{}) return {label, {}};
    result.steps.push_back(step);
    at = rest + (rest < end && *rest == ',');
  }
  return result;
}

std::string label_of(std::string_view place, const std::vector<int>& steps) {
  std::string label(place);
  for (std::size_t i = 0; i < steps.size(); ++i) label += (i == 0 ? " @t" : ",") + std::to_string(steps[i]);
  return label;
}

}  // namespace chiasm
