// SPDX-License-Identifier: Apache-2.0
#include "engine/schedule.h"

#include <algorithm>
#include <cmath>

namespace chiasm {

double Schedule::rate_at(double epoch) const {
  // Epochs are quotients and differences of numbers of steps: a whole one may come out a little less.
  constexpr double kRounding = 1e-9;
  const double begun = follow == Follow::kBatch ? epoch : std::floor(epoch + kRounding);
  const double at = follow == Follow::kEpochEnd ? begun + 1.0 : begun;
  if (at < warmup_epochs) return base * (warmup_start + (1.0 - warmup_start) * at / warmup_epochs);
  const double progress = std::min((at - warmup_epochs) / std::max(epochs - warmup_epochs, 1e-12), 1.0);
  switch (kind) {
    case Kind::kConstant:
      return base;
    case Kind::kSteps: {
      double rate = base;
      for (std::size_t i = 0; i < boundaries.size(); ++i) {
        if (begun >= boundaries[i]) rate *= factors.size() == 1 ? factors[0] : factors.at(i);
      }
      return rate;
    }
    case Kind::kCosine: {
      constexpr double kPi = 3.14159265358979323846;
      return floor + (base - floor) * 0.5 * (1.0 + std::cos(kPi * progress));
    }
    case Kind::kPolynomial:
      return floor + (base - floor) * std::pow(1.0 - progress, power);
  }
  return base;
}

}  // namespace chiasm
