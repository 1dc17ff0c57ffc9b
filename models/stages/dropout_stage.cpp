// SPDX-License-Identifier: Apache-2.0
#include "kernels/random/dropout.h"
#include "models/parsing.h"
#include "models/stages/stage_makers.h"

namespace chiasm {

std::shared_ptr<const Stage> make_dropout_stage(const ConfigNode& config) {
  const double rate = config.real("rate", {.min = 0.0, .max = 1.0, .open_max = true});
  return stage_of([rate](const Scope& scope, const StageInput& in) {
    if (!scope.training() || rate == 0.0) return in.x;
    const Dropout op{.rate = rate, .seed = scope.options().seed, .op = scope.random_op()};
    return scope.graph().apply(op, {in.x, scope.epoch_input(), scope.sample_input(in.x.shape()[0])});
  });
}

}  // namespace chiasm
