// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/layer_choice.h"

#include "analysis/statistics/summary.h"

namespace chiasm {

int best_layer(const std::vector<std::vector<double>>& scores) {
  int best = -1;
  double largest = 0.0;
  for (std::size_t layer = 0; layer < scores.size(); ++layer) {
    const double median = summarise(scores[layer]).median;
    if (median == median && (best < 0 || median > largest)) {
      best = static_cast<int>(layer);
      largest = median;
    }
  }
  return best;
}

std::vector<std::int64_t> units_won(const std::vector<std::vector<double>>& scores) {
  std::vector<std::int64_t> won(scores.size());
  for (std::size_t unit = 0; !scores.empty() && unit < scores[0].size(); ++unit) {
    std::size_t best = scores.size();
    for (std::size_t layer = 0; layer < scores.size(); ++layer) {
      const double score = scores[layer][unit];
      if (score == score && (best == scores.size() || score > scores[best][unit])) best = layer;
    }
    if (best < scores.size()) ++won[best];
  }
  return won;
}

}  // namespace chiasm
