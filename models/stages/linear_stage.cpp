// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "models/parsing.h"
#include "models/stages/stage_makers.h"

namespace chiasm {

std::shared_ptr<const Stage> make_linear_stage(const ConfigNode& config) {
  const std::int64_t units = config.integer("units", {1, 1 << 24});
  const bool bias = config.boolean_or("bias", true);
  const InitSpec init = read_init(config, "kernel_init", {});
  const InitSpec bias_init = read_bias_init(config, "bias_init");
  const double l2 = config.real_or("l2", 0.0, RealRange::at_least(0.0));
  const double l2_bias = config.real_or("l2_bias", 0.0, RealRange::at_least(0.0));
  return stage_of([=](const Scope& scope, const StageInput& in) {
    if (in.x.shape().rank() != 2) {
      throw ShapeError("[" + scope.path() + "] a linear stage takes [N, units], found " + to_string(in.x.shape()) +
                       "; put \"flatten\" or \"global_average_pool\" before it");
    }
    const Shape shape{in.x.shape()[1], units};
    const Fans fans = fans_of(shape);
    const Initialiser forward = init.for_fans(fans), backward = init.for_fans({.in = fans.out, .out = fans.in});
    const Value y = linear(in.x, scope.weight("weight", shape, forward, backward, l2));
    return bias ? y + scope.parameter("bias", {units}, bias_init.for_fans(fans), l2_bias) : y;
  });
}

}  // namespace chiasm
