// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/phases.h"

#include <algorithm>
#include <cmath>

namespace chiasm {

std::int64_t PhasePlan::delay_steps(std::int64_t steps_per_epoch) const {
  return std::llround(delay_epochs * static_cast<double>(steps_per_epoch));
}

std::int64_t PhasePlan::total_steps(double epochs, std::int64_t steps_per_epoch) const {
  const double task = epochs * stretch() * static_cast<double>(steps_per_epoch);
  return std::max<std::int64_t>(1, std::llround(task)) + delay_steps(steps_per_epoch);
}

Phase PhasePlan::at(std::int64_t step, std::int64_t steps_per_epoch) const {
  if (step < delay_steps(steps_per_epoch)) return Phase::kAlignment;
  if (!alternate) return Phase::kBoth;
  return step % 2 == 0 ? Phase::kAlignment : Phase::kTask;
}

std::int64_t PhasePlan::count(Phase phase, std::int64_t step, std::int64_t steps_per_epoch) const {
  if (off_phase == OffPhase::kCoast) return step + 1;
  const std::int64_t delay = std::min(delay_steps(steps_per_epoch), step + 1);
  const std::int64_t behind = phase == Phase::kAlignment ? delay : 0;
  if (!alternate) return behind + step + 1 - delay;
  // Even steps align, odd ones train.
  const auto upto = [&](std::int64_t end) { return phase == Phase::kAlignment ? (end + 1) / 2 : end / 2; };
  return behind + upto(step + 1) - upto(delay);
}

std::int64_t PhasePlan::task_updates(std::int64_t step, std::int64_t steps_per_epoch) const {
  return count(Phase::kTask, step, steps_per_epoch);
}
std::int64_t PhasePlan::alignment_updates(std::int64_t step, std::int64_t steps_per_epoch) const {
  return count(Phase::kAlignment, step, steps_per_epoch);
}

double PhasePlan::task_epoch(double epoch) const { return std::max(0.0, epoch - delay_epochs) / stretch(); }

double PhasePlan::task_rate(const Schedule& schedule, double epoch) const {
  return epoch < delay_epochs ? 0.0 : schedule.rate_at(task_epoch(epoch));
}

double PhasePlan::alignment_rate(const Schedule& schedule, double epoch) const {
  if (delay_epochs <= 0.0) return schedule.rate_at(task_epoch(epoch));
  Schedule without_warmup = schedule;
  without_warmup.warmup_epochs = 0.0;
  return without_warmup.rate_at(task_epoch(epoch));
}

}  // namespace chiasm
