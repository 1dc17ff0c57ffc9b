// SPDX-License-Identifier: Apache-2.0
// LSTM (spec/convrnn.md 2.4):
//   [i~, j~, f~, o~] = W concat(x, h) + b, each layer-normalised by itself where "layer_norm" is on
//   f  = s(f~ + phi + P_f c)    i = s(i~ + P_i c)
//   c' = LN(f c + i tanh(j~)); the normalised value is what is stored
//   o  = s(o~ + P_o c)          with the old c
//   h' = tanh(c') o
// phi is "forget_bias". The peephole weights P [H, W, C] (of vectors, [C]) exist where "peepholes" is on and start as a
// kernel of that shape would (fan-in H W). L2 terms on the kernel and the bias; none on peepholes and layer norms.
//   {"type": "lstm", "layer_norm": false, "peepholes": false, "forget_bias": 1, "channels": as many as the input,
//    "kernel": 3, "kernel_init": "glorot_uniform", "bias_init": 0, "l2": 1e-4, "l2_bias": as l2}
#include "engine/config/config.h"
#include "models/cells/cell.h"
#include "models/cells/cell_conv.h"
#include "models/normalisation.h"

namespace chiasm {
namespace {

class Lstm final : public Cell {
 public:
  explicit Lstm(const ConfigNode& config)
      : conv_(read_cell_conv(config)),
        layer_norm_(config.boolean_or("layer_norm", false)),
        peepholes_(config.boolean_or("peepholes", false)),
        forget_bias_(config.real_or("forget_bias", 1.0)) {}

  std::vector<Shape> state_shapes(const Shape& x) const override {  // c, h
    return {conv_.state_shape(x), conv_.state_shape(x)};
  }

  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override {
    const LabelScope label(scope.graph(), scope.label());
    const Value c = state[0], h = state[1];
    const auto norm = [&](const char* name, Value v) { return layer_norm_ ? layer_norm(scope.child(name), v) : v; };
    const auto peep = [&](const char* name, Value v) {
      if (!peepholes_) return v;
      const Shape shape(c.shape().sizes().subspan(1));
      return v + scope.parameter(name, shape, conv_.init.for_fans(fans_of(shape))) * c;
    };
    const auto [i, j, f, o] = split<4>(conv_.apply(scope, "gates", {in.x, h}, 4 * h.shape().at(-1)));
    const Value input = sigmoid(peep("input_peephole", norm("input_norm", i)));
    const Value candidate = tanh(norm("candidate_norm", j));
    const Value forget = sigmoid(peep("forget_peephole", affine(norm("forget_norm", f), 1.0, forget_bias_)));
    const Value output = sigmoid(peep("output_peephole", norm("output_norm", o)));
    const Value next_c = norm("cell_norm", c * forget + input * candidate);
    const Value next_h = tanh(next_c) * output;
    return {next_h, {next_c, next_h}};
  }

 private:
  CellConv conv_;
  bool layer_norm_;
  bool peepholes_;
  double forget_bias_;
};

}  // namespace

std::shared_ptr<const Cell> make_lstm(const ConfigNode& config) { return std::make_shared<Lstm>(config); }

}  // namespace chiasm
