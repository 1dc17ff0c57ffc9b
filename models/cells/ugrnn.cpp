// SPDX-License-Identifier: Apache-2.0
// UGRNN (spec/convrnn.md 2.5):
//   [g~, c~] = W concat(x, h) + b            g = s(g~ + 1)
//   h' = g h + (1 - g) tanh(c~)
// The 1 is "forget_bias". L2 terms on the kernel and the bias.
//   {"type": "ugrnn", "forget_bias": 1, "channels": as many as the input, "kernel": 3,
//    "kernel_init": "glorot_uniform", "bias_init": 0, "l2": 1e-4, "l2_bias": as l2}
#include "engine/config/config.h"
#include "models/cells/cell.h"
#include "models/cells/cell_conv.h"

namespace chiasm {
namespace {

class Ugrnn final : public Cell {
 public:
  explicit Ugrnn(const ConfigNode& config)
      : conv_(read_cell_conv(config)), forget_bias_(config.real_or("forget_bias", 1.0)) {}

  std::vector<Shape> state_shapes(const Shape& x) const override { return {conv_.state_shape(x)}; }

  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override {
    const LabelScope label(scope.graph(), scope.label());
    const Value h = state[0];
    const auto [gate, candidate] = split<2>(conv_.apply(scope, "gates", {in.x, h}, 2 * h.shape().at(-1)));
    const Value g = sigmoid(affine(gate, 1.0, forget_bias_));
    const Value next = g * h + affine(g, -1.0, 1.0) * tanh(candidate);
    return {next, {next}};
  }

 private:
  CellConv conv_;
  double forget_bias_;
};

}  // namespace

std::shared_ptr<const Cell> make_ugrnn(const ConfigNode& config) { return std::make_shared<Ugrnn>(config); }

}  // namespace chiasm
