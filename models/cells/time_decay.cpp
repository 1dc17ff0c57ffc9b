// SPDX-License-Identifier: Apache-2.0
#include "models/cells/time_decay.h"

#include "engine/config/config.h"
#include "engine/ops.h"

namespace chiasm {

CellStep TimeDecayCell::step(const Scope& scope, const CellInput& in, std::span<const Value> state) const {
  const LabelScope label(scope.graph(), scope.label());
  const Value lambda = scope.parameter("lambda", {}, Initialiser::constant(initial_));
  const Value h = lambda * state[0] + in.x;
  return {h, {h}};
}

std::shared_ptr<const Cell> make_time_decay(const ConfigNode& config) {
  return std::make_shared<TimeDecayCell>(config.real_or("initial", 0.0));
}

}  // namespace chiasm
