// SPDX-License-Identifier: Apache-2.0
// The reciprocal gated cell in its minimal form (spec/convrnn.md 2.7): six dense convolutions without bias,
//   m  = W_m u
//   c' = ELU((1 - s(W_cc c)) c + (1 - s(W_hc h)) m)
//   h' = ELU((1 - s(W_hh h)) h + (1 - s(W_ch c + W_rg r)) u)
// where u is the cell input and r the layer's feedforward input. Other inputs of the layer are added to nothing: the
// minimal form has no place for long-range feedback, which is concatenated to the layer's input instead.
//   {"type": "rgc_shallow", "cell_channels": as many as the input, "kernel": 3, "kernel_init": "glorot_uniform",
//    "l2": 1e-4}
#include "engine/config/config.h"
#include "engine/ops.h"
#include "models/cells/cell.h"
#include "models/cells/cell_conv.h"
#include "models/parsing.h"

namespace chiasm {
namespace {

class RgcShallow final : public Cell {
 public:
  explicit RgcShallow(const ConfigNode& config)
      : kernel_(config.integer_or("kernel", 3, {1, 31})),
        cell_channels_(config.integer_or("cell_channels", 0, {0, 65536})),
        init_(read_init(config, "kernel_init", {.kind = InitSpec::Kind::kGlorotUniform})),
        l2_(config.real_or("l2", 1e-4, RealRange::at_least(0.0))) {}

  std::vector<Shape> state_shapes(const Shape& x) const override {  // c, h
    return {image_state_like(x, cell_channels_), x};
  }

  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override {
    const Value c = state[0], h = state[1], u = in.x;
    const auto conv = [&](const char* name, Value x, std::int64_t channels) {
      return convolve(scope.child(name), x,
                      {.channels = channels, .kernel = kernel_, .bias = false, .init = init_, .l2 = l2_});
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

 private:
  std::int64_t kernel_;
  std::int64_t cell_channels_;
  InitSpec init_;
  double l2_;
};

}  // namespace

std::shared_ptr<const Cell> make_rgc_shallow(const ConfigNode& config) { return std::make_shared<RgcShallow>(config); }

}  // namespace chiasm
