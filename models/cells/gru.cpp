// SPDX-License-Identifier: Apache-2.0
// GRU (spec/convrnn.md 2.3):
//   [r~, u~] = W_g concat(x, h) + b_g        r = s(r~ + 1)    u = s(u~)
//   c~ = W_c concat(x, r h) + b_c
//   h' = u h + (1 - u) tanh(c~)
// The 1 is "reset_bias" and comes on top of b_g, which starts at "bias_init" in both halves; b_c starts at 0. L2 terms
// on both kernels and both biases.
//   {"type": "gru", "channels": as many as the input, "kernel": 3, "kernel_init": "glorot_uniform", "bias_init": 1,
//    "reset_bias": 1, "l2": 1e-4, "l2_bias": as l2}
#include "engine/config/config.h"
#include "models/cells/cell.h"
#include "models/cells/cell_conv.h"

namespace chiasm {
namespace {

class Gru final : public Cell {
 public:
  explicit Gru(const ConfigNode& config)
      : gates_(read_cell_conv(config, {.bias_init = 1.0})),
        candidate_(gates_),
        reset_bias_(config.real_or("reset_bias", 1.0)) {
    candidate_.bias_init = 0.0;
  }

  std::vector<Shape> state_shapes(const Shape& x) const override { return {gates_.state_shape(x)}; }

  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override {
    const LabelScope label(scope.graph(), scope.label());
    const Value x = in.x, h = state[0];
    const std::int64_t channels = h.shape().at(-1);
    const auto [reset, update] = split<2>(gates_.apply(scope, "gates", {x, h}, 2 * channels));
    const Value r = sigmoid(affine(reset, 1.0, reset_bias_)), u = sigmoid(update);
    const Value candidate = tanh(candidate_.apply(scope, "candidate", {x, r * h}, channels));
    const Value next = u * h + affine(u, -1.0, 1.0) * candidate;
    return {next, {next}};
  }

 private:
  CellConv gates_;
  CellConv candidate_;
  double reset_bias_;
};

}  // namespace

std::shared_ptr<const Cell> make_gru(const ConfigNode& config) { return std::make_shared<Gru>(config); }

}  // namespace chiasm
