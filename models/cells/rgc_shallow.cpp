// SPDX-License-Identifier: Apache-2.0
#include "models/cells/rgc_shallow.h"

#include "engine/config/config.h"
#include "engine/ops.h"
#include "models/parsing.h"

namespace chiasm {

std::vector<Shape> RgcShallowCell::state_shapes(const Shape& x) const {
  return {options_.cell_channels > 0 ? x.with(3, options_.cell_channels) : x, x};
}

CellStep RgcShallowCell::step(const Scope& scope, const CellInput& in, std::span<const Value> state) const {
  const Value c = state[0], h = state[1], u = in.x;
  const auto conv = [&](const char* name, Value x, std::int64_t channels) {
    return convolve(
        scope.child(name), x,
        {.channels = channels, .kernel = options_.kernel, .bias = false, .init = options_.init, .l2 = options_.l2});
  };
  const std::int64_t cell_channels = c.shape()[3], channels = u.shape()[3];
  const LabelScope label(scope.graph(), scope.label());
  const auto open = [](Value a) { return affine(sigmoid(a), -1.0, 1.0); };
  const Value m = conv("input_to_cell", u, cell_channels);
  const Value next_c =
      elu(open(conv("cell_to_cell", c, cell_channels)) * c + open(conv("output_to_cell", h, cell_channels)) * m);
  const Value gate = conv("cell_to_output", c, channels) + conv("feedforward_to_output", in.feedforward, channels);
  const Value next_h = elu(open(conv("output_to_output", h, channels)) * h + open(gate) * u);
  return {next_h, {next_c, next_h}};
}

std::shared_ptr<const Cell> make_rgc_shallow(const ConfigNode& config) {
  RgcShallowOptions options;
  options.kernel = config.integer_or("kernel", options.kernel, {1, 31});
  options.cell_channels = config.integer_or("cell_channels", 0, {0, 65536});
  options.init = read_init(config, "kernel_init", options.init);
  options.l2 = config.real_or("l2", options.l2, RealRange::at_least(0.0));
  return std::make_shared<RgcShallowCell>(options);
}

}  // namespace chiasm
