// SPDX-License-Identifier: Apache-2.0
#include "models/parsing.h"
#include "models/stages/stage_makers.h"

namespace chiasm {

std::shared_ptr<const Stage> make_conv_stage(const ConfigNode& config) {
  ConvSpec spec;
  spec.channels = config.integer("channels", {1, 65536});
  spec.kernel = config.integer_or("kernel", 3, {1, 31});
  spec.stride = config.integer_or("stride", 1, {1, 31});
  spec.separable = config.boolean_or("separable", false);
  spec.groups = config.integer_or("groups", 1, {1, 65536});
  spec.dilation = config.integer_or("dilation", 1, {1, 1024});
  if (spec.separable && (spec.groups != 1 || spec.dilation != 1)) {
    config.fail_because("\"separable\" goes with neither \"groups\" nor \"dilation\"");
  }
  spec.bias = config.boolean_or("bias", true);
  spec.padding = read_padding(config, "padding", Padding2d::same());
  spec.init = read_init(config, "kernel_init", spec.init);
  spec.bias_init = read_bias_init(config, "bias_init");
  spec.l2 = config.real_or("l2", 0.0, RealRange::at_least(0.0));
  spec.l2_bias = config.real_or("l2_bias", 0.0, RealRange::at_least(0.0));
  return stage_of([spec](const Scope& scope, const StageInput& in) { return convolve(scope, in.x, spec); });
}

}  // namespace chiasm
