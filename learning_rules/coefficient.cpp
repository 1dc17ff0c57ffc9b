// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/coefficient.h"

#include <algorithm>
#include <cmath>

namespace chiasm {

double Coefficient::at(double epoch, double epochs) const {
  const double progress = epochs > 0.0 ? std::min(epoch / epochs, 1.0) : 0.0;
  if (progress < start || (progress >= stop && stop < 1.0)) return 0.0;
  double result = value;
  if (drift == Drift::kLinear) result += drift_rate * epoch;
  if (drift == Drift::kExponential) result *= std::exp(drift_rate * epoch);
  if (cycle_epochs > 0.0) {
    const double phase = std::fmod(epoch, cycle_epochs) / cycle_epochs;
    result *= 1.0 - std::fabs(2.0 * phase - 1.0);
  }
  return result;
}

}  // namespace chiasm
