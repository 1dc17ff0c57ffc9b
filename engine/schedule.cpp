// SPDX-License-Identifier: Apache-2.0
#include "engine/schedule.h"

#include <algorithm>
#include <cmath>

namespace chiasm {

double Schedule::rate_at(double epoch) const {
  if (epoch < warmup_epochs) return base * (warmup_start + (1.0 - warmup_start) * epoch / warmup_epochs);
  switch (kind) {
    case Kind::kConstant:
      return base;
    case Kind::kSteps: {
      double rate = base;
      for (std::size_t i = 0; i < boundaries.size(); ++i) {
        if (epoch >= boundaries[i]) rate *= factors.size() == 1 ? factors[0] : factors.at(i);
      }
      return rate;
    }
    case Kind::kCosine: {
      constexpr double kPi = 3.14159265358979323846;
      const double span = std::max(epochs - warmup_epochs, 1e-12);
      const double progress = std::min((epoch - warmup_epochs) / span, 1.0);
      return floor + (base - floor) * 0.5 * (1.0 + std::cos(kPi * progress));
    }
  }
  return base;
}

}  // namespace chiasm
