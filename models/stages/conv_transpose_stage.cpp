// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "kernels/convolution/conv_transpose2d.h"
#include "models/parsing.h"
#include "models/stages/stage_makers.h"

namespace chiasm {

std::shared_ptr<const Stage> make_conv_transpose_stage(const ConfigNode& config) {
  const std::int64_t channels = config.integer("channels", {1, 65536});
  const std::int64_t kernel = config.integer_or("kernel", 3, {1, 31});
  const std::int64_t stride = config.integer_or("stride", 1, {1, 31});
  ConvTranspose2d op{.stride = {stride, stride}, .padding = read_padding(config, "padding", Padding2d::same())};
  if (config.has("output")) {
    const std::vector<std::int64_t> size = config.integers("output", {1, 8192}, {2, 2});
    op.output_size = {size[0], size[1]};
  }
  const bool bias = config.boolean_or("bias", true);
  const InitSpec init = read_init(config, "kernel_init", {});
  const InitSpec bias_init = read_bias_init(config, "bias_init");
  const double l2 = config.real_or("l2", 0.0, RealRange::at_least(0.0));
  const double l2_bias = config.real_or("l2_bias", 0.0, RealRange::at_least(0.0));
  return stage_of([=](const Scope& scope, const StageInput& in) {
    const LabelScope label(scope.graph(), scope.label());
    if (in.x.shape().rank() != 4) {
      throw ShapeError("[" + scope.path() + "] a transposed convolution takes an image [N, H, W, C], found " +
                       to_string(in.x.shape()));
    }
    const Shape shape{kernel, kernel, channels, in.x.shape()[3]};
    // The fans of the map as it is used here: into a pixel of the output come kernel^2 times the channels of x.
    const Fans fans = fans_of({kernel, kernel, in.x.shape()[3], channels});
    const Weight weight = scope.weight("weight", shape, init.for_fans(fans), l2);
    const Value y = scope.graph().apply(op, {in.x, weight.forward, weight.backward});
    return bias ? y + scope.parameter("bias", {channels}, bias_init.for_fans(fans), l2_bias) : y;
  });
}

}  // namespace chiasm
