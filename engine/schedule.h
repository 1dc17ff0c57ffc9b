// SPDX-License-Identifier: Apache-2.0
// Learning-rate schedules: the rate as a function of progress, evaluated on the host once per step.
//
// A schedule is a course over epochs: warm-up, then its kind. kBatch follows it at every step; kEpoch and kEpochEnd
// hold one rate for a whole epoch e, that of the course at e, or at e + 1. With kEpochEnd the last epoch has the rate
// at the end of the course: so step the schedules of spec/mouse_vision.md 5.7 and 5.8 (SimCLR: cosine, warmup_epochs
// 10, warmup_start 1e-4; MoCo and SimSiam: cosine). Boundaries of steps count epochs that have begun in all three.
#pragma once

#include <vector>

namespace chiasm {

struct Schedule {
  enum class Kind { kConstant, kSteps, kCosine, kPolynomial };
  enum class Follow { kBatch, kEpoch, kEpochEnd };
  Kind kind = Kind::kConstant;
  double base = 0.1;
  // kSteps: from each boundary (in epochs, increasing) on the rate is multiplied by its factor as well.
  std::vector<double> boundaries = {};
  std::vector<double> factors = {0.1};  // one for every boundary, or one for all of them
  // kCosine: falls from base at the end of the warm-up to `floor` at `epochs` as half a cosine. kPolynomial: as
  // (1 - progress) to the power `power`.
  double epochs = 1.0;
  double floor = 0.0;
  double power = 1.0;
  // For the first warmup_epochs the rate rises linearly from warmup_start * base to base.
  double warmup_epochs = 0.0;
  double warmup_start = 0.0;
  Follow follow = Follow::kBatch;

  // The rate at `epoch` (with its fraction; step / steps per epoch).
  double rate_at(double epoch) const;
};

}  // namespace chiasm
