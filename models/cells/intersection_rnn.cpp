// SPDX-License-Identifier: Apache-2.0
// IntersectionRNN (spec/convrnn.md 2.6):
//   [gh~, h~, gy~, y~] = W concat(x, n) + b  gh = s(gh~ + 1)   gy = s(gy~ + 1)
//   n' = gh n + (1 - gh) tanh(h~)
//   y  = gy x + (1 - gy) ReLU(y~)
// The state is n and the output y, so the cell has as many channels as its input. Both 1 are "forget_bias". L2 terms on
// the kernel and the bias.
//   {"type": "intersection_rnn", "forget_bias": 1, "channels": as many as the input, "kernel": 3,
//    "kernel_init": "glorot_uniform", "bias_init": 0, "l2": 1e-4, "l2_bias": as l2}
#include "engine/config/config.h"
#include "models/cells/cell.h"
#include "models/cells/cell_conv.h"

namespace chiasm {
namespace {

class IntersectionRnn final : public Cell {
 public:
  explicit IntersectionRnn(const ConfigNode& config)
      : conv_(read_cell_conv(config)), forget_bias_(config.real_or("forget_bias", 1.0)) {}

  std::vector<Shape> state_shapes(const Shape& x) const override {
    const Shape state = conv_.state_shape(x);
    if (state != x) {
      throw ShapeError("intersection_rnn has as many channels as its input: \"channels\" is " +
                       std::to_string(conv_.channels) + " and the input has " + std::to_string(x.at(-1)));
    }
    return {state};
  }

  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override {
    const LabelScope label(scope.graph(), scope.label());
    const Value x = in.x, n = state[0];
    const auto [gate_n, h, gate_y, y] = split<4>(conv_.apply(scope, "gates", {x, n}, 4 * n.shape().at(-1)));
    const Value gn = sigmoid(affine(gate_n, 1.0, forget_bias_)), gy = sigmoid(affine(gate_y, 1.0, forget_bias_));
    const Value next = gn * n + affine(gn, -1.0, 1.0) * tanh(h);
    return {gy * x + affine(gy, -1.0, 1.0) * relu(y), {next}};
  }

 private:
  CellConv conv_;
  double forget_bias_;
};

}  // namespace

std::shared_ptr<const Cell> make_intersection_rnn(const ConfigNode& config) {
  return std::make_shared<IntersectionRnn>(config);
}

}  // namespace chiasm
