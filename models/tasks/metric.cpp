// SPDX-License-Identifier: Apache-2.0
#include "models/tasks/metric.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/error.h"

namespace chiasm {

std::string Metric::show(double value) const {
  if (unit == "%") return fmt::format("{:.2f} %", 100.0 * value);
  return fmt::format("{:.4f}", value);
}

const Score* find_score(const std::vector<Score>& scores, std::string_view name) {
  const auto found = std::ranges::find_if(scores, [&](const Score& score) { return score.metric.name == name; });
  return found == scores.end() ? nullptr : &*found;
}

double score_value(const std::vector<Score>& scores, std::string_view name) {
  const Score* score = find_score(scores, name);
  if (score == nullptr || !score->value) throw InternalError("no score " + std::string(name));
  return *score->value;
}

}  // namespace chiasm
