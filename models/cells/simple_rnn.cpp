// SPDX-License-Identifier: Apache-2.0
// SimpleRNN (spec/convrnn.md 2.2):
//   h' = ELU(LN((W_x x + b_x) + (W_h h + b_h)))
// The layer norm is optional. L2 terms on both kernels and both biases.
//   {"type": "simple_rnn", "layer_norm": false, "channels": as many as the input, "kernel": 3,
//    "kernel_init": "glorot_uniform", "bias_init": 0, "l2": 1e-4, "l2_bias": as l2}
#include "engine/config/config.h"
#include "models/cells/cell.h"
#include "models/cells/cell_conv.h"
#include "models/normalisation.h"

namespace chiasm {
namespace {

class SimpleRnn final : public Cell {
 public:
  explicit SimpleRnn(const ConfigNode& config)
      : conv_(read_cell_conv(config)), layer_norm_(config.boolean_or("layer_norm", false)) {}

  std::vector<Shape> state_shapes(const Shape& x) const override { return {conv_.state_shape(x)}; }

  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override {
    const LabelScope label(scope.graph(), scope.label());
    const Value h = state[0];
    const std::int64_t channels = h.shape().at(-1);
    Value a =
        conv_.apply(scope, "input_to_state", {in.x}, channels) + conv_.apply(scope, "state_to_state", {h}, channels);
    if (layer_norm_) a = layer_norm(scope.child("norm"), a);
    const Value next = elu(a);
    return {next, {next}};
  }

 private:
  CellConv conv_;
  bool layer_norm_;
};

}  // namespace

std::shared_ptr<const Cell> make_simple_rnn(const ConfigNode& config) { return std::make_shared<SimpleRnn>(config); }

}  // namespace chiasm
