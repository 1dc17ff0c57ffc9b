// SPDX-License-Identifier: Apache-2.0
// PhasePlan: which of the two losses a training step minimises, and how their learning rates go
// (spec/learning_rules.md 7.2 and 7.3).
#pragma once

#include <cstdint>

#include "engine/schedule.h"

namespace chiasm {

enum class Phase {
  kBoth,
  kTask,
  kAlignment,
};

struct PhasePlan {
  // What a step does to the weights of the other loss: their optimizer takes a step with a gradient of zero (momentum
  // goes on, moments decay), or none.
  enum class OffPhase { kCoast, kFreeze };

  bool alternate = false;     // one alignment step, one task step, and so on
  double delay_epochs = 0.0;  // alignment alone, before everything else
  OffPhase off_phase = OffPhase::kCoast;

  bool operator==(const PhasePlan&) const = default;

  // Passes through the data that an epoch of a schedule takes: 2 where phases alternate.
  double stretch() const { return alternate ? 2.0 : 1.0; }
  // Training steps in all, where the recipe asks for `epochs` of the task.
  std::int64_t total_steps(double epochs, std::int64_t steps_per_epoch) const;

  // Of step 0, 1, ...
  Phase at(std::int64_t step, std::int64_t steps_per_epoch) const;
  // Optimizer steps of the task, or of alignment, up to and with this one: what Adam counts.
  std::int64_t task_updates(std::int64_t step, std::int64_t steps_per_epoch) const;
  std::int64_t alignment_updates(std::int64_t step, std::int64_t steps_per_epoch) const;

  // `epoch` counts passes through the data (step / steps per epoch); schedules are in epochs of the task. Zero during
  // the delay.
  double task_rate(const Schedule& schedule, double epoch) const;
  // With a delay, drops come that much later and there is no warm-up.
  double alignment_rate(const Schedule& schedule, double epoch) const;
  // Epochs of the task's schedule that lie behind.
  double task_epoch(double epoch) const;

 private:
  std::int64_t delay_steps(std::int64_t steps_per_epoch) const;
  // Steps among 0..step that are `phase` or both.
  std::int64_t count(Phase phase, std::int64_t step, std::int64_t steps_per_epoch) const;
};

}  // namespace chiasm
