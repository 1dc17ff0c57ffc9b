// SPDX-License-Identifier: Apache-2.0
// Learning-rate schedules: the rate as a function of progress, evaluated on the host once per step.
#pragma once

#include <vector>

namespace chiasm {

struct Schedule {
  enum class Kind { kConstant, kSteps, kCosine };
  Kind kind = Kind::kConstant;
  double base = 0.1;
  // kSteps: from each boundary (in epochs, increasing) on the rate is multiplied by its factor as well.
  std::vector<double> boundaries = {};
  std::vector<double> factors = {0.1};  // one for every boundary, or one for all of them
  // kCosine: falls from base at the end of the warm-up to `floor` at `epochs` as half a cosine.
  double epochs = 1.0;
  double floor = 0.0;
  // For the first warmup_epochs the rate rises linearly from warmup_start * base to base.
  double warmup_epochs = 0.0;
  double warmup_start = 0.0;

  // The rate at `epoch` (with its fraction; step / steps per epoch).
  double rate_at(double epoch) const;
};

}  // namespace chiasm
