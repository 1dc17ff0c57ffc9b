// SPDX-License-Identifier: Apache-2.0
#include "models/cells/cell_conv.h"

#include "engine/config/config.h"
#include "models/parsing.h"

namespace chiasm {

Shape state_like(const Shape& x, std::int64_t channels) {
  if (x.rank() != 4 && x.rank() != 2) {
    throw ShapeError("this cell takes an image [N, H, W, C] or a vector [N, C], found " + to_string(x));
  }
  return channels > 0 ? x.with(-1, channels) : x;
}

Shape image_state_like(const Shape& x, std::int64_t channels) {
  if (x.rank() != 4) throw ShapeError("this cell takes an image [N, H, W, C], found " + to_string(x));
  return state_like(x, channels);
}

Value CellConv::apply(const Scope& scope, const char* name, std::initializer_list<Value> inputs,
                      std::int64_t outputs) const {
  const Scope inside = scope.child(name);
  const LabelScope label(scope.graph(), inside.label());
  const Value joined = concat(inputs, inputs.begin()->shape().rank() - 1);
  if (joined.shape().rank() == 2) {
    const Shape shape{joined.shape()[1], outputs};
    const Fans fans = fans_of(shape);
    const Weight weight =
        inside.weight("weight", shape, init.for_fans(fans), init.for_fans({.in = fans.out, .out = fans.in}), l2);
    return linear(joined, weight) + inside.parameter("bias", {outputs}, Initialiser::constant(bias_init), l2_bias);
  }
  return convolve(inside, joined,
                  {.channels = outputs,
                   .kernel = kernel,
                   .init = init,
                   .bias_init = InitSpec::constant(bias_init),
                   .l2 = l2,
                   .l2_bias = l2_bias});
}

CellConv read_cell_conv(const ConfigNode& config, CellConv absent) {
  CellConv conv = absent;
  conv.channels = config.integer_or("channels", conv.channels, {0, 65536});
  conv.kernel = config.integer_or("kernel", conv.kernel, {1, 31});
  conv.init = read_init(config, "kernel_init", conv.init);
  conv.bias_init = config.real_or("bias_init", conv.bias_init);
  conv.l2 = config.real_or("l2", conv.l2, RealRange::at_least(0.0));
  conv.l2_bias = config.real_or("l2_bias", conv.l2, RealRange::at_least(0.0));
  return conv;
}

}  // namespace chiasm
